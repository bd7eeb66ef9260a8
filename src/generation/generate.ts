import type * as tfl from '@tensorflow/tfjs-layers';
import type { GenerateOptions } from './options.js';
import type { Prompt, PromptBatch, SinglePrompt } from './prompt.js';
import { checkWholeContext, prepare, tokenSteps } from './token_loop.js';

/** What `generate` returns; `Text` is a string for one prompt, one a row for several. */
export interface Generated<Text extends string | string[] = string | string[]> {
  /** Prompt and new tokens, one array a row, without padding. The end token, where one was produced, is the last. */
  ids: number[][];
  /** `ids` as text, prompt included; there when a tokenizer was given. */
  text?: Text;
}

/**
 * Continues a prompt, or several of any lengths.
 *
 *     const { text } = await generation.generate(model, 'Call me ', { tokenizer, maxNewTokens: 40 });
 *
 * The most likely token is taken at each step, or with `doSample` one is drawn: uniform number b of step t of the seed
 * (Philox) picks from row b's distribution, on the host and in double precision, so a row does not depend on the
 * others. Prompts of different lengths are filled up on the left; the model gets a mask and running positions, so that
 * each row is what it would be alone. Scores are processed in the order of Hugging Face's `generate`.
 *
 * A model with learned positions for L tokens generates rows of at most L tokens, prompt included; one with rotary,
 * sine or ALiBi positions goes on. Models without attention layers of this package are fed the whole row each time.
 *
 * @param model A causal language model: ids [B, T] → logits [B, T, V], just built or loaded.
 * @param prompt A text (with `tokenizer`), token ids, or an array of these. With `options.cache`, the whole
 *   conversation: see `createCache`.
 * @param options See `GenerateOptions`.
 * @returns Prompt and new tokens.
 * @throws Error when an option or the prompt is wrong, before anything is computed. ContextLengthError before the first
 *   token that would not fit; without an end token at once, because nothing can stop earlier.
 */
export function generate(
  model: tfl.LayersModel,
  prompt: SinglePrompt,
  options?: GenerateOptions,
): Promise<Generated<string>>;
/** Continues several prompts; see above. */
export function generate(
  model: tfl.LayersModel,
  prompt: PromptBatch,
  options?: GenerateOptions,
): Promise<Generated<string[]>>;
/** Continues one prompt or several; see above. */
export function generate(
  model: tfl.LayersModel,
  prompt: Prompt,
  options?: GenerateOptions,
): Promise<Generated>;
export async function generate(
  model: tfl.LayersModel,
  prompt: Prompt,
  options: GenerateOptions = {},
): Promise<Generated> {
  const run = prepare('generate', model, prompt, options);
  checkWholeContext(run);
  const steps = tokenSteps(run);
  let isDone = false;
  while (!isDone) isDone = (await steps.next()).done === true; // the rows grow in the grid
  const ids = run.grid.rows;
  const { tokenizer } = run.options;
  if (!tokenizer) return { ids };
  const texts = ids.map((row) => tokenizer.decode(row));
  return { ids, text: run.isSingle ? texts[0] : texts };
}
