/** "See the mask work": why a large negative number before a softmax makes a word invisible. */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { element } from '../element.js';
import { onLanguage } from '../language.js';
import { computeSteps, leakedAttention, type MaskChoice } from './attention_steps.js';
import { segmented, stepper, toggle } from './controls.js';
import { fadingWords } from './fading_words.js';
import { exact, percent } from './format.js';
import { formula } from './formula.js';
import { maskMaps } from './mask_maps.js';
import { HAND_SET_HEADS, makeModel, NUM_HEADS, NUM_LAYERS } from './model.js';
import { pitfalls } from './pitfalls.js';
import { proof } from './proof.js';
import { scoreMaps } from './score_maps.js';
import { MOST_TOKENS, padded, splitWords, type PaddingSide } from './sentence.js';
import { chosenHead, type ViewState } from './state.js';
import { words } from './words.js';

/** Padding behind the first sentence. */
const FIRST_PADDING = 2;
/** Milliseconds without a keystroke after which the numbers are computed again. */
const PAUSE = 120;

/**
 * Puts the view into the page. It computes on TensorFlow.js' cpu backend, on the page's own thread: the numbers are few,
 * and the same on every machine.
 *
 * @param root Where to put it.
 */
export function mountMasks(root: HTMLElement): void {
  const model = makeModel();
  const choice: MaskChoice = { padding: true, causal: true };
  let side: PaddingSide = 'right';
  let isSample = true;
  let length = 0;
  let layer = 0;
  let head = 1; // the cheat
  let picked: readonly [number, number] = [2, 3];
  let state: ViewState | undefined;
  let run = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  // What is typed and chosen
  const sentence: HTMLInputElement = element('input', {
    type: 'text',
    id: 'masks-sentence',
    autocomplete: 'off',
    spellcheck: 'false',
    oninput: () => {
      isSample = false;
      clearTimeout(timer);
      timer = setTimeout(() => void recompute(), PAUSE);
    },
  });
  const counts = element('p', { class: 'hint', 'aria-live': 'polite' });
  const lengthControl = stepper(
    () => words().length,
    { less: () => words().shorter, more: () => words().longer },
    (by) => {
      length += by;
      void recompute();
    },
  );
  const sideControl = segmented<PaddingSide>(
    () => words().side,
    [
      ['right', () => words().right],
      ['left', () => words().left],
    ],
    (next) => {
      side = next;
      void recompute();
    },
  );
  const switches = {
    padding: toggle(
      () => words().paddingMask,
      'padding',
      (on) => switchMask('padding', on),
    ),
    causal: toggle(
      () => words().causalMask,
      'causal',
      (on) => switchMask('causal', on),
    ),
  };
  const numbers = (count: number): (readonly [number, string])[] =>
    Array.from({ length: count }, (_, i) => [i, String(i + 1)]);
  const layerControl = segmented(
    () => words().layer,
    numbers(NUM_LAYERS),
    (next) => {
      layer = next;
      show();
    },
  );
  const headControl = segmented(
    () => words().head,
    numbers(NUM_HEADS),
    (next) => {
      head = next;
      show();
    },
  );
  const headText = element('p', { class: 'hint head-text' });
  const leaks = element('p', { class: 'leaks', 'aria-live': 'polite' });

  const pick = (query: number, key: number): void => {
    if (picked[0] === query && picked[1] === key) return;
    picked = [query, key];
    show(false);
  };
  const fading = fadingWords((query) => pick(query, picked[1]));
  const masksPart = maskMaps(pick);
  const scoresPart = scoreMaps(pick);
  const proofPart = proof(model);
  const pitfallsPart = pitfalls(model);
  const footnote = element('p', { class: 'footnote' });

  function switchMask(name: keyof MaskChoice, on: boolean): void {
    choice[name] = on;
    void recompute();
  }

  async function recompute(): Promise<void> {
    const tokens = splitWords(sentence.value);
    sentence.setAttribute('aria-invalid', String(tokens.length === 0));
    if (tokens.length === 0) {
      counts.textContent = words().empty;
      return;
    }
    if (length === 0) length = tokens.length + FIRST_PADDING;
    length = Math.max(tokens.length, Math.min(MOST_TOKENS, length));
    const sequence = padded(tokens, length, side);
    const own = ++run;
    const steps = await computeSteps(model, sequence, { ...choice });
    if (own !== run) return; // a newer one is under way
    picked = [Math.min(picked[0], length - 1), Math.min(picked[1], length - 1)];
    state = { sequence, steps, choice: { ...choice }, layer, head, picked };
    show();
  }

  /** @param all Whether more than the cell that is looked at may have changed. */
  function show(all = true): void {
    if (!state) return;
    state = { ...state, layer, head, picked };
    fading.update(state);
    masksPart.update(state);
    scoresPart.update(state);
    if (!all) return;
    const text = words();
    const { sequence, steps } = state;
    const real = sequence.isPadding.filter((isPadding) => !isPadding).length;
    lengthControl.set({ value: length, least: real, most: MOST_TOKENS });
    counts.textContent = `${text.lengthHelp(real, length - real)}${real === MOST_TOKENS ? ` ${text.tooLong(MOST_TOKENS)}` : ''}`;
    headText.textContent = layer === 0 ? text.headKinds[HAND_SET_HEADS[head]] : text.headDrawn;
    const { future, padding } = leakedAttention(sequence, chosenHead(state).weights);
    const share = (value: number, what: string, name: string): HTMLElement =>
      element(
        'span',
        { class: value === 0 ? 'tight' : 'leaky', 'data-leak': name },
        element('b', {}, percent(value)),
        ` ${what}`,
      );
    leaks.replaceChildren(
      share(future, text.leakedFuture, 'future'),
      share(padding, text.leakedPadding, 'padding'),
    );
    proofPart.update(state);
    pitfallsPart.update(state);
    footnote.textContent = text.footnote(exact(steps.deviation));
  }

  const section = (
    number: string,
    title: () => string,
    text: () => string,
    ...children: HTMLElement[]
  ): HTMLElement =>
    element(
      'section',
      { class: 'chapter' },
      element('h2', {}, element('span', { class: 'number', 'aria-hidden': 'true' }, number), title),
      element('p', { class: 'prose' }, text),
      ...children,
    );
  const view = element(
    'div',
    { class: 'masks' },
    element(
      'div',
      { class: 'opening' },
      element('h2', { class: 'claim' }, () => words().title),
      formula('whole', true),
      element('p', { class: 'prose' }, () => words().lead),
      element(
        'div',
        { class: 'inputs' },
        element(
          'div',
          { class: 'field' },
          element('label', { for: 'masks-sentence' }, () => words().sentence),
          sentence,
        ),
        lengthControl.element,
        sideControl.element,
        counts,
      ),
      fading.element,
    ),
    element(
      'div',
      { class: 'bar-of-choices' },
      element('fieldset', { class: 'segmented' }, element('legend', {}, () => words().masks), element('div', { class: 'toggles' }, switches.padding.element, switches.causal.element)), // prettier-ignore
      layerControl.element,
      headControl.element,
      headText,
      leaks,
    ),
    section(
      '1',
      () => words().who,
      () => words().whoText,
      masksPart.element,
    ),
    section(
      '2',
      () => words().numbers,
      () => words().numbersText,
      scoresPart.element,
    ),
    section(
      '3',
      () => words().proof,
      () => words().proofText,
      proofPart.element,
    ),
    section(
      '4',
      () => words().wrong,
      () => words().wrongText,
      pitfallsPart.element,
    ),
    footnote,
  );
  root.append(view);

  switches.padding.set(choice.padding);
  switches.causal.set(choice.causal);
  sideControl.set(side);
  layerControl.set(layer);
  headControl.set(head);
  void tf.setBackend('cpu').then(() =>
    onLanguage(() => {
      if (isSample) {
        sentence.value = words().sample;
        length = 0;
      }
      void recompute();
    }),
  );
}
