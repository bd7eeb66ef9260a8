import type * as tfl from '@tensorflow/tfjs-layers';
import { assert } from '../util/errors.js';
import type { GenerateOptions } from './generate_options.js';
import type { Prompt, PromptBatch, SinglePrompt } from './prompt.js';
import { prepare, type Run } from './run.js';
import { tokenSteps } from './token_loop.js';

/** What `stream` yields; `Text` is a string for one prompt, one a row for several. */
export interface StreamStep<Text extends string | string[] = string | string[]> {
  /** Number of the step, from 0. */
  step: number;
  /** New id of each row; the padding id for a row that is finished. */
  ids: number[];
  /** New text, there when a tokenizer was given: whole characters only, so empty while one is under way. */
  text?: Text;
}

/**
 * Continues a prompt, or several, and hands out each token as it comes:
 *
 *     for await (const { text } of generation.stream(model, 'Call me ', { tokenizer })) print(text);
 *
 * Ends when all rows are finished, or quietly within one token of `options.signal` being aborted. Its cache is freed
 * however it ends, also when the loop is left with `break`; a cache that was handed in stays. Everything else is as for
 * `generate`; learned positions are checked token by token, as the caller may stop at any. Beams cannot be streamed: which
 * of them wins is known at the end.
 *
 * @param model A causal language model, as for `generate`.
 * @param prompt As for `generate`.
 * @param options See `GenerateOptions`.
 * @returns An async iterator, of one pass; nothing is computed before its first step.
 * @throws Error when an option or the prompt is wrong, from this call itself.
 */
export function stream(
  model: tfl.LayersModel,
  prompt: Prompt,
  options: GenerateOptions & { numReturnSequences: number },
): AsyncGenerator<StreamStep<string[]>, void, undefined>;
/** Continues one prompt; see above. */
export function stream(
  model: tfl.LayersModel,
  prompt: SinglePrompt,
  options?: GenerateOptions,
): AsyncGenerator<StreamStep<string>, void, undefined>;
/** Continues several prompts; see above. */
export function stream(
  model: tfl.LayersModel,
  prompt: PromptBatch,
  options?: GenerateOptions,
): AsyncGenerator<StreamStep<string[]>, void, undefined>;
/** Continues one prompt or several; see above. */
export function stream(
  model: tfl.LayersModel,
  prompt: Prompt,
  options?: GenerateOptions,
): AsyncGenerator<StreamStep, void, undefined>;
export function stream(
  model: tfl.LayersModel,
  prompt: Prompt,
  options: GenerateOptions = {},
): AsyncGenerator<StreamStep, void, undefined> {
  const run = prepare('stream', model, prompt, options);
  assert(
    run.options.numBeams === 1,
    () =>
      `stream: a beam search knows its rows at the end only, got numBeams=${run.options.numBeams}. Use generate.`,
  );
  return streamSteps(run);
}

async function* streamSteps(run: Run): AsyncGenerator<StreamStep, void, undefined> {
  const { grid, options, isSingle, encoder } = run;
  const { tokenizer, numReturnSequences } = options;
  const decoders = grid.rows.flatMap(({ ids }) =>
    Array.from({ length: numReturnSequences }, () => {
      const decoder = tokenizer?.createDecoder();
      // A prompt can end in the middle of a character; its text is the caller's already.
      for (const id of encoder ? [] : ids) decoder?.push(id);
      return decoder;
    }),
  );
  for await (const { step, ids, isNew } of tokenSteps(run)) {
    if (!tokenizer) {
      yield { step, ids };
      continue;
    }
    const texts = decoders.map((decoder, b) => {
      if (!isNew[b]) return '';
      return decoder!.push(ids[b]) + (grid.rows[b].isFinished ? decoder!.flush() : '');
    });
    yield { step, ids, text: isSingle ? texts[0] : texts };
  }
}
