/** What the parts of the view show together. */
import type { HeadSteps, MaskChoice, Steps } from './attention_steps.js';
import type { Sequence } from './sentence.js';

/** One moment of the view. */
export interface ViewState {
  /** The sentence. */
  sequence: Sequence;
  /** Which masks are on. */
  choice: MaskChoice;
  /** Chosen layer, from 0. */
  layer: number;
  /** Chosen head, from 0. */
  head: number;
  /** All numbers. */
  steps: Steps;
  /** Query and key of the cell that is looked at. */
  picked: readonly [number, number];
}

/** A part of the view. */
export interface Part {
  /** Put this into the page. */
  element: HTMLElement;
  /** Shows a state, in the language of the moment. */
  update: (state: ViewState) => void;
}

/**
 * The numbers of the chosen head.
 *
 * @param state State of the view.
 * @returns Its steps.
 */
export function chosenHead({ steps, layer, head }: ViewState): HeadSteps {
  return steps.heads[layer][head];
}

/**
 * Why a key ought to be hidden from a query.
 *
 * @param sequence The tokens.
 * @param query Index of the query.
 * @param key Index of the key.
 * @returns The reason; `none` when it may be seen.
 */
export function reasonToHide(
  { isPadding }: Sequence,
  query: number,
  key: number,
): 'padding' | 'future' | 'none' {
  if (isPadding[key]) return 'padding';
  return key > query ? 'future' : 'none';
}
