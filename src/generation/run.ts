import type * as tfl from '@tensorflow/tfjs-layers';
import type { KVCache } from '../cache/kv_cache.js';
import type { ProjectedAttention } from '../layers/projected_attention.js';
import { assert } from '../util/errors.js';
import { contextLength, ContextLengthError } from './context_length.js';
import { cachedLayers } from './create_cache.js';
import { isEncoderDecoder, prepareEncoder, type Encoder } from './encoded_source.js';
import type { GenerateOptions } from './generate_options.js';
import { ENCODED_INPUTS, INPUTS, inputNames, vocabularySizeOf } from './model_inputs.js';
import { resolveOptions, type ResolvedOptions } from './options.js';
import type { LogitsProcessor, Sequence } from './processors/logits_processor.js';
import { promptRows, type Prompt } from './prompt.js';
import { TokenGrid, type GridRow } from './token_grid.js';

/** A call of `generate` or `stream`, checked and ready to run. */
export interface Run {
  /** The function that was called. */
  where: string;
  /** The model that is run step by step: a causal one, or the decoder of an encoder–decoder model. */
  model: tfl.LayersModel;
  /** Names of its inputs. */
  names: string[];
  /** The encoder and what it reads; null for a causal model. */
  encoder: Encoder | null;
  /** Its layers that write to a cache; empty when nothing is cached. */
  owners: ProjectedAttention[];
  /** Tokens that it has positions for. */
  contextLength: number;
  /** V */
  vocabularySize: number;
  /** Whether one prompt was given, not an array of them. */
  isSingle: boolean;
  /** The rows. */
  grid: TokenGrid;
  /** Options with defaults. */
  options: ResolvedOptions;
}

/**
 * Checks a call: everything that can be wrong before the first token.
 *
 * @param where Name of the function that was called.
 * @param model A causal language model, or an encoder–decoder model.
 * @param prompt One prompt or several.
 * @param given Options as the caller gave them.
 * @returns What the loops need.
 */
export function prepare(
  where: string,
  model: tfl.LayersModel,
  prompt: Prompt,
  given: GenerateOptions,
): Run {
  const hasEncoder = isEncoderDecoder(model);
  const stepped = hasEncoder ? (model.getLayer('decoder') as unknown as tfl.LayersModel) : model;
  const names = inputNames(where, stepped, hasEncoder ? [...INPUTS, ...ENCODED_INPUTS] : INPUTS);
  const vocabularySize = vocabularySizeOf(where, stepped);
  const options = resolveOptions(where, given, vocabularySize);
  const { sourceTokenizer, decoderStartTokenId: start } = options;
  const sourceSize = hasEncoder ? Infinity : vocabularySize; // the encoder has a vocabulary of its own
  const { rows: prompts, isSingle } = promptRows(where, prompt, sourceTokenizer, sourceSize);
  checkArchitecture(where, hasEncoder, given);

  const rows = hasEncoder ? prompts.map(() => [start!]) : prompts;
  const longest = Math.max(...rows.map((ids) => ids.length));
  assert(
    longest < options.maxLength,
    () =>
      `${where}: maxLength counts the prompt and must be longer, got maxLength=${options.maxLength}, ` +
      `prompt length=${longest}. Or set maxNewTokens.`,
  );
  const length = contextLength(stepped);
  if (longest >= length) throw new ContextLengthError(where, length, rows, longest, 0);
  const owners = options.useCache === false ? [] : cachedLayers(where, stepped);
  checkCache(where, options.cache, owners, rows.length);
  const encoder = hasEncoder
    ? prepareEncoder(
        where,
        model.getLayer('encoder') as unknown as tfl.LayersModel,
        prompts,
        options.padTokenId,
        names,
      )
    : null;
  return {
    where,
    model: stepped,
    names,
    encoder,
    owners,
    contextLength: length,
    vocabularySize,
    isSingle: isSingle && options.numReturnSequences === 1,
    grid: new TokenGrid(rows, options.padTokenId),
    options,
  };
}

function checkArchitecture(where: string, hasEncoder: boolean, given: GenerateOptions): void {
  assert(
    !hasEncoder || given.decoderStartTokenId !== undefined,
    () =>
      `${where}: an encoder–decoder model needs the token that its rows start with, got decoderStartTokenId=undefined.`,
  );
  for (const name of ['decoderStartTokenId', 'sourceTokenizer'] as const) {
    assert(
      hasEncoder || given[name] === undefined,
      () => `${where}: ${name} is for encoder–decoder models. Leave it out.`,
    );
  }
  assert(
    !hasEncoder || given.cache === undefined,
    () =>
      `${where}: what an encoder–decoder model caches belongs to one source, so no cache is kept between calls. ` +
      'Leave cache out.',
  );
}

function checkCache(where: string, cache: KVCache | undefined, owners: object[], B: number): void {
  if (!cache) return;
  assertAlive(where, cache);
  assert(
    owners.length > 0 && owners.every((owner) => cache.has(owner)),
    () => `${where}: cache was made for another model. Make one with createCache(model).`,
  );
  assert(
    cache.batchSize === null || cache.batchSize === B,
    () =>
      `${where}: cache holds ${cache.batchSize} rows, got ${B} prompts. Make a new one with createCache(model).`,
  );
  const cached = cache.tokens.length === 0 ? 0 : cache.tokens[0].length;
  assert(
    cached === cache.length,
    () =>
      `${where}: cache holds ${cache.length} tokens of which ${cached} came from generate, so they cannot be compared ` +
      'with the prompt. Fill it with generate only, or trim(0) it.',
  );
}

/**
 * Checks that a cache can still be used.
 *
 * @param where Name of the function that was called.
 * @param cache The cache.
 */
export function assertAlive(where: string, cache: KVCache): void {
  assert(
    !cache.isDisposed,
    () => `${where}: cache is already disposed of. Make a new one with createCache(model).`,
  );
}

/**
 * Longest that a row may become.
 *
 * @param run The run.
 * @param row One of its rows.
 * @returns Number of tokens, prompt included.
 */
export function maxLengthOf({ options }: Run, { promptLength }: GridRow): number {
  return Math.min(options.maxLength, promptLength + options.maxNewTokens);
}

/**
 * What a row will need at least, when no end token can stop it earlier.
 *
 * @param run What `prepare` returned.
 * @throws ContextLengthError when that does not fit.
 */
export function checkWholeContext(run: Run): void {
  if (run.options.eosTokenIds.length > 0) return;
  const tooLong = run.grid.rows.some((row) => maxLengthOf(run, row) > run.contextLength);
  if (tooLong) throw contextError(run, 0);
}

/**
 * Whether each row that goes on has a position for its next token.
 *
 * @param run The run.
 * @param step Number of the step.
 * @throws ContextLengthError when one has not.
 */
export function checkContext(run: Run, step: number): void {
  const full = run.grid.rows.some(
    ({ isFinished, ids }) => !isFinished && ids.length >= run.contextLength,
  );
  if (full) throw contextError(run, step);
}

function contextError({ where, contextLength, grid }: Run, generated: number): ContextLengthError {
  const ids = grid.rows.map((row) => [...row.ids]);
  const longest = Math.max(...grid.rows.map(({ promptLength }) => promptLength));
  return new ContextLengthError(where, contextLength, ids, longest, generated);
}

/**
 * The scores of a row after all processors.
 *
 * @param run The run.
 * @param processors What `logitsProcessors` returned.
 * @param scores What the model says, [V].
 * @param b Number of the row.
 * @param step Number of the step.
 * @returns New scores [V].
 * @throws Error when the model's hold NaN or Infinity, or a processor returns something else.
 */
export function processed(
  run: Run,
  processors: readonly LogitsProcessor[],
  scores: Float32Array,
  b: number,
  step: number,
): Float32Array {
  const { where, options, vocabularySize, grid, encoder } = run;
  for (const score of options.removeInvalidValues ? [] : scores) {
    assert(
      score < Infinity, // false for NaN too
      () =>
        `${where}: the model's logits must not hold NaN or Infinity, got ${score} at row ${b}, step ${step}.`,
    );
  }
  const row = grid.rows[b];
  const sequence: Sequence = {
    ids: row.ids,
    promptLength: row.promptLength,
    maxLength: maxLengthOf(run, row),
    sourceIds: encoder ? encoder.sources[row.promptIndex] : row.ids.slice(0, row.promptLength),
    promptIndex: row.promptIndex,
  };
  const result = processors.reduce((all, processor) => processor(all, sequence), scores);
  assert(
    (result as unknown) instanceof Float32Array && result.length === vocabularySize,
    () =>
      `${where}: a logits processor must return a Float32Array of ${vocabularySize} scores, got ${String(result)}.`,
  );
  return result;
}

/**
 * Says that no token is left to choose from.
 *
 * @param where Name of the function that was called.
 * @param b Number of the row.
 * @param step Number of the step.
 * @returns The text of an error.
 */
export function nothingLeft(where: string, b: number, step: number): string {
  return (
    `${where}: the options remove every token at row ${b}, step ${step}. Loosen suppressTokens, noRepeatNgramSize ` +
    'or minNewTokens.'
  );
}
