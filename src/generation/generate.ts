import type * as tfl from '@tensorflow/tfjs-layers';
import { beamSearch } from './beam_search.js';
import type { GenerateOptions } from './generate_options.js';
import type { Prompt, PromptBatch, SinglePrompt } from './prompt.js';
import { checkWholeContext, prepare, type Run } from './run.js';
import { tokenSteps } from './token_loop.js';

/** What `generate` returns; `Text` is a string for one prompt, one a row for several. */
export interface Generated<Text extends string | string[] = string | string[]> {
  /**
   * Prompt and new tokens, one array a row, without padding. The end token, where one was produced, is the last. For an
   * encoder–decoder model: the start token and new tokens.
   */
  ids: number[][];
  /** `ids` as text, prompt included, start token not; there when a tokenizer was given. */
  text?: Text;
  /** With beams: the score of each row, the sum of its new tokens' scores / (their number ^ lengthPenalty). */
  sequencesScores?: number[];
}

/** Options that ask for several rows a prompt. */
type Several = GenerateOptions & { numReturnSequences: number };

/**
 * Continues a prompt, or several of any lengths; with an encoder–decoder model, answers it.
 *
 *     const { text } = await generation.generate(model, 'Call me ', { tokenizer, maxNewTokens: 40 });
 *
 * The most likely token is taken at each step, or with `doSample` one is drawn: uniform number b of step t of the seed
 * (Philox) picks from row b's distribution, on the host and in double precision, so a row does not depend on the
 * others. With `numBeams` the rows of the highest total score are searched for. Prompts of different lengths are filled
 * up on the left; the model gets a mask and running positions, so that each row is what it would be alone. Scores are
 * processed in the order of Hugging Face's `generate`, and beams are kept and ended by its rules.
 *
 * A model with learned positions for L tokens generates rows of at most L tokens, prompt included; one with rotary,
 * sine or ALiBi positions goes on. Models without attention layers of this package are fed the whole row each time.
 *
 * @param model A causal language model, ids [B, T] → logits [B, T, V], or one of `models.seq2seq`, just built or loaded.
 * @param prompt A text (with `tokenizer`), token ids, or an array of these. With `options.cache`, the whole
 *   conversation: see `createCache`. For an encoder–decoder model, what the encoder reads.
 * @param options See `GenerateOptions`.
 * @returns Prompt and new tokens; the rows of a prompt one after the other when `numReturnSequences` are asked for.
 * @throws Error when an option or the prompt is wrong, before anything is computed. ContextLengthError before the first
 *   token that would not fit; without an end token at once, because nothing can stop earlier.
 */
export function generate(
  model: tfl.LayersModel,
  prompt: Prompt,
  options: Several,
): Promise<Generated<string[]>>;
/** Continues one prompt; see above. */
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
  const { ids, ...scores } = run.options.numBeams > 1 ? await searched(run) : await stepped(run);
  const { tokenizer } = run.options;
  if (!tokenizer) return { ids, ...scores };
  const texts = ids.map((row) => tokenizer.decode(run.encoder ? row.slice(1) : row));
  return { ids, text: run.isSingle ? texts[0] : texts, ...scores };
}

async function stepped(run: Run): Promise<Generated> {
  const steps = tokenSteps(run);
  let isDone = false;
  while (!isDone) isDone = (await steps.next()).done === true; // the rows grow in the grid
  return { ids: run.grid.rows.map(({ ids }) => [...ids]) };
}

async function searched(run: Run): Promise<Generated> {
  const beams = (await beamSearch(run)).flat();
  return {
    ids: beams.map(({ ids }) => [...ids]),
    sequencesScores: beams.map(({ score }) => score),
  };
}
