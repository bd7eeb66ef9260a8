import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { KVCache } from '../cache/kv_cache.js';
import type { ProjectedAttention } from '../layers/projected_attention.js';
import { assert } from '../util/errors.js';
import { RandomStream } from '../util/random.js';
import { contextLength, ContextLengthError } from './context_length.js';
import { cachedLayers } from './create_cache.js';
import { inputNames, nextLogits, vocabularySizeOf } from './forward.js';
import { logitsProcessors } from './logits_processors.js';
import { resolveOptions, type GenerateOptions, type ResolvedOptions } from './options.js';
import type { LogitsProcessor } from './processors/logits_processor.js';
import { promptRows, type Prompt } from './prompt.js';
import { greedy, sample, stepUniforms } from './sampler.js';
import { TokenGrid } from './token_grid.js';

/** One step of the loop. */
export interface TokenStep {
  /** Number of the step, from 0. */
  step: number;
  /** New id of each row; the padding id for a row that was finished before. */
  ids: number[];
  /** Which rows got an id in this step. */
  isNew: boolean[];
  /** Whether it was the last step. */
  isLast: boolean;
}

/** A call of `generate` or `stream`, checked and ready to run. */
export interface Run {
  /** The function that was called. */
  where: string;
  /** The model. */
  model: tfl.LayersModel;
  /** Names of its inputs. */
  names: string[];
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
 * @param model A causal language model.
 * @param prompt One prompt or several.
 * @param given Options as the caller gave them.
 * @returns What `tokenSteps` needs.
 */
export function prepare(
  where: string,
  model: tfl.LayersModel,
  prompt: Prompt,
  given: GenerateOptions,
): Run {
  const names = inputNames(where, model);
  const vocabularySize = vocabularySizeOf(where, model);
  const options = resolveOptions(where, given, vocabularySize);
  const { rows, isSingle } = promptRows(where, prompt, options.tokenizer, vocabularySize);
  const longest = Math.max(...rows.map((ids) => ids.length));
  assert(
    longest < options.maxLength,
    () =>
      `${where}: maxLength counts the prompt and must be longer, got maxLength=${options.maxLength}, ` +
      `prompt length=${longest}. Or set maxNewTokens.`,
  );
  const length = contextLength(model);
  if (longest >= length) throw new ContextLengthError(where, length, rows, longest, 0);
  const owners = options.useCache === false ? [] : cachedLayers(where, model);
  checkCache(where, options.cache, owners, rows.length);
  const grid = new TokenGrid(rows, options.padTokenId);
  return {
    where,
    model,
    names,
    owners,
    contextLength: length,
    vocabularySize,
    isSingle,
    grid,
    options,
  };
}

function checkCache(where: string, cache: KVCache | undefined, owners: object[], B: number): void {
  if (!cache) return;
  checkAlive(where, cache);
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

function checkAlive(where: string, cache: KVCache): void {
  assert(
    !cache.isDisposed,
    () => `${where}: cache is already disposed of. Make a new one with createCache(model).`,
  );
}

/**
 * Generates token by token. Each step costs one call of the model and one transfer of [B, V] logits to the host.
 *
 * @param run What `prepare` returned.
 * @returns The steps; ends early when the signal is aborted. Its own cache is freed however it ends.
 * @throws ContextLengthError before the first token that would not fit.
 */
export async function* tokenSteps(run: Run): AsyncGenerator<TokenStep, void, undefined> {
  const { model, names, owners, grid, options, vocabularySize: V } = run;
  const processors = logitsProcessors(options);
  const { seed } = new RandomStream(options.seed);
  const cache = owners.length === 0 ? null : (options.cache ?? new KVCache(owners));
  try {
    if (cache && cache.length > 0) {
      rewind(cache, Math.min(grid.commonWidth(cache.tokens), grid.width - 1));
    }
    for (let step = 0; ; step++) {
      if (options.signal?.aborted) return;
      checkContext(run, step);
      const logits = await read(
        cache ? cachedLogits(run, cache) : nextLogits(model, names, grid, 0, null),
      );
      if (options.signal?.aborted) return;

      const uniforms = options.doSample ? stepUniforms(seed, step, grid.rows.length) : null;
      const scores = grid.rows.map((_, b) => {
        const raw = logits.subarray(b * V, (b + 1) * V);
        return grid.finished[b] ? raw : processed(run, processors, raw, b, step);
      });
      const isNew = grid.finished.map((finished) => !finished);
      const ids = scores.map((row, b) =>
        isNew[b] ? choose(run, row, uniforms?.[b], b, step) : options.padTokenId,
      );
      grid.append(ids);
      ids.forEach((id, b) => {
        const ended = options.eosTokenIds.includes(id);
        grid.finished[b] ||= ended || grid.rows[b].length >= maxLengthOf(run, b);
      });
      options.onStep?.({ step, ids, scores });
      const isLast = grid.finished.every(Boolean);
      yield { step, ids, isNew, isLast };
      if (isLast) return;
    }
  } finally {
    if (cache !== options.cache) cache?.dispose();
  }
}

/** Longest that a row may become. */
function maxLengthOf({ grid, options }: Run, b: number): number {
  return Math.min(options.maxLength, grid.promptLengths[b] + options.maxNewTokens);
}

/**
 * What a row will need at least, when no end token can stop it earlier.
 *
 * @param run What `prepare` returned.
 * @throws ContextLengthError when that does not fit.
 */
export function checkWholeContext(run: Run): void {
  if (run.options.eosTokenIds.length > 0) return;
  const tooLong = run.grid.rows.some((_, b) => maxLengthOf(run, b) > run.contextLength);
  if (tooLong) throw contextError(run, 0);
}

function checkContext(run: Run, step: number): void {
  const { grid } = run;
  const full = grid.rows.some((ids, b) => !grid.finished[b] && ids.length >= run.contextLength);
  if (full) throw contextError(run, step);
}

function contextError({ where, contextLength, grid }: Run, generated: number): ContextLengthError {
  const ids = grid.rows.map((row) => [...row]);
  return new ContextLengthError(
    where,
    contextLength,
    ids,
    Math.max(...grid.promptLengths),
    generated,
  );
}

/** Goes back to a length, or to nothing when the cache cannot. */
function rewind(cache: KVCache, length: number): void {
  cache.trim(cache.canTrim(length) ? length : 0);
}

/** The next logits by way of the cache, which afterwards holds all columns. */
function cachedLogits({ where, model, names, owners, grid }: Run, cache: KVCache): tf.Tensor {
  checkAlive(where, cache);
  const from = cache.length;
  const { width } = grid;
  assert(
    grid.isStarted ? from === width - 1 : from < width,
    () =>
      `${where}: cache holds ${from} tokens instead of ${width - 1}: something else has used it meanwhile. ` +
      'Give each call that runs at the same time a fork() of its own.',
  );
  let logits: tf.Tensor | null = null;
  try {
    logits = nextLogits(model, names, grid, from, cache);
    checkWritten(where, owners, cache, from, width - from);
    cache.recordTokens(grid.cellsFrom(from));
    return logits;
  } catch (error) {
    logits?.dispose();
    rewind(cache, from); // layers before the one that failed have written already
    throw error;
  }
}

function checkWritten(
  where: string,
  owners: ProjectedAttention[],
  cache: KVCache,
  from: number,
  T: number,
): void {
  for (const owner of owners) {
    const written = cache.lengthOf(owner) - from;
    assert(
      written === T,
      () =>
        `${where}: layer '${owner.name}' wrote ${written} tokens to the cache instead of ${T}. A layer that the model ` +
        'calls twice, or whose caller passes no arguments on, cannot be cached. Set useCache: false.',
    );
  }
}

/** The transfer to the host, one a step. */
async function read(logits: tf.Tensor): Promise<Float32Array> {
  try {
    return (await logits.data()) as Float32Array;
  } finally {
    logits.dispose();
  }
}

function processed(
  { grid, where }: Run,
  processors: LogitsProcessor[],
  raw: Float32Array,
  b: number,
  step: number,
): Float32Array {
  for (const score of raw) {
    assert(
      score < Infinity, // false for NaN too
      () =>
        `${where}: the model's logits must not hold NaN or Infinity, got ${score} at row ${b}, step ${step}.`,
    );
  }
  const sequence = { ids: grid.rows[b], promptLength: grid.promptLengths[b] };
  return processors.reduce((scores, processor) => processor(scores, sequence), raw);
}

function choose(
  { where }: Run,
  scores: Float32Array,
  uniform: number | undefined,
  b: number,
  step: number,
): number {
  const id = uniform === undefined ? greedy(scores) : sample(scores, uniform);
  assert(
    id >= 0,
    () =>
      `${where}: the options remove every token at row ${b}, step ${step}. Loosen suppressTokens, noRepeatNgramSize ` +
      'or minNewTokens.',
  );
  return id;
}
