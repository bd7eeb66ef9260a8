import { KVCache } from '../cache/kv_cache.js';
import type { Tokenizer } from '../tokenizers/tokenizer.js';
import {
  assert,
  assertInteger,
  assertKnownOptions,
  assertNumber,
  describe,
} from '../util/errors.js';
import { assertTokenIds } from '../util/token_ids.js';
import type { GenerateOptions } from './generate_options.js';
import type { ProcessorOptions } from './logits_processors.js';

/** The options with their defaults. */
export interface ResolvedOptions
  extends
    ProcessorOptions,
    Pick<GenerateOptions, 'tokenizer' | 'cache' | 'signal' | 'onStep' | 'useCache' | 'seed'> {
  /** The tokenizer of prompts. */
  sourceTokenizer?: Tokenizer;
  /** Infinity when only `maxLength` limits. */
  maxNewTokens: number;
  /** Infinity when only `maxNewTokens` limits. */
  maxLength: number;
  /** As given, or the default. */
  padTokenId: number;
  /** Undefined: not given. */
  decoderStartTokenId?: number;
  /** 1 or more. */
  numReturnSequences: number;
  /** 1: no beam search. */
  numBeams: number;
  /** Exponent of the length. */
  lengthPenalty: number;
  /** When a search ends. */
  earlyStopping: boolean | 'never';
  /** Infinity: all at once. */
  prefillChunkSize: number;
  /** Whether `onStep` gets attention maps. */
  outputAttentions: boolean;
}

/**
 * Tokens of a prompt that are fed at once unless told otherwise. Attention over a prompt of T needs T² numbers a head; in
 * parts of C it needs C·T, and beyond a few hundred tokens a larger C is no faster (docs/measurements.md, "prefill").
 */
const PREFILL_CHUNK_SIZE = 512;

const SAMPLING = [
  'temperature', 'topH', 'topK', 'topP', 'minP', 'typicalP', 'epsilonCutoff', 'etaCutoff', 'minTokensToKeep',
] as const; // prettier-ignore
const BEAMS = ['lengthPenalty', 'earlyStopping'] as const;
const KNOWN: (keyof GenerateOptions)[] = [
  'tokenizer', 'sourceTokenizer', 'maxNewTokens', 'maxLength', 'minNewTokens', 'minLength', 'eosTokenId', 'padTokenId',
  'decoderStartTokenId', 'numReturnSequences', 'doSample', ...SAMPLING, 'seed', 'numBeams', ...BEAMS, 'sequenceBias',
  'encoderRepetitionPenalty', 'repetitionPenalty', 'noRepeatNgramSize', 'encoderNoRepeatNgramSize', 'badWordsIds',
  'prefixAllowedTokensFn', 'forcedBosTokenId', 'forcedEosTokenId', 'removeInvalidValues',
  'exponentialDecayLengthPenalty', 'suppressTokens', 'beginSuppressTokens', 'logitsProcessors', 'renormalizeLogits',
  'useCache', 'cache', 'prefillChunkSize', 'signal', 'outputAttentions', 'onStep',
]; // prettier-ignore

/**
 * Checks the options and fills in defaults.
 *
 * @param where Name of the function that was called.
 * @param options What the caller gave.
 * @param vocabularySize V, for the range of ids.
 * @returns The options with defaults.
 * @throws Error naming the first option that is unknown, out of range or contradicts another.
 */
export function resolveOptions(
  where: string,
  options: GenerateOptions,
  vocabularySize: number,
): ResolvedOptions {
  assertKnownOptions(where, options, KNOWN);
  const read = new OptionReader(where, options, vocabularySize);
  const doSample = read.flag('doSample');
  const numBeams = read.integer('numBeams', 1, 1);
  read.onlyWith(doSample, SAMPLING, 'when sampling', 'doSample', 'doSample: true');
  read.onlyWith(numBeams > 1, BEAMS, 'with beams', 'numBeams', 'numBeams to at least 2');
  const { tokenizer, cache, signal, onStep } = options;
  const eosTokenIds = read.ids('eosTokenId');
  const limited = options.maxLength !== undefined;
  const outputAttentions = read.flag('outputAttentions');
  const resolved: ResolvedOptions = {
    tokenizer,
    sourceTokenizer: options.sourceTokenizer ?? tokenizer,
    maxNewTokens: read.integer('maxNewTokens', limited ? Infinity : 20, 1),
    maxLength: read.integer('maxLength', Infinity, 1),
    minNewTokens: read.integer('minNewTokens', 0, 0),
    minLength: read.integer('minLength', 0, 0),
    eosTokenIds,
    padTokenId: read.ids('padTokenId')[0] ?? eosTokenIds[0] ?? 0,
    decoderStartTokenId: read.ids('decoderStartTokenId')[0],
    numReturnSequences: read.integer('numReturnSequences', 1, 1),
    doSample,
    temperature: read.positive('temperature', 1, 'For the most likely token: doSample: false.'),
    topH: options.topH === undefined ? undefined : read.share('topH', 1),
    topK: options.topK === undefined ? undefined : read.integer('topK', 1, 1),
    topP: read.share('topP', 1),
    minP: read.number('minP', 0, 0, 1),
    typicalP: read.share('typicalP', 1),
    epsilonCutoff: read.number('epsilonCutoff', 0, 0, 1),
    etaCutoff: read.number('etaCutoff', 0, 0, 1),
    minTokensToKeep: read.integer(
      'minTokensToKeep',
      numBeams > 1 ? Math.max(2, eosTokenIds.length + 1) : 1,
      1,
    ),
    seed: options.seed,
    numBeams,
    lengthPenalty: read.number('lengthPenalty', 1),
    earlyStopping: options.earlyStopping ?? false,
    sequenceBias: (options.sequenceBias ?? []).map(([ids, bias]) => [
      read.run('sequenceBias', ids),
      assertNumber(where, 'sequenceBias', bias),
    ]),
    encoderRepetitionPenalty: read.positive('encoderRepetitionPenalty', 1),
    repetitionPenalty: read.positive('repetitionPenalty', 1),
    noRepeatNgramSize: read.integer('noRepeatNgramSize', 0, 0),
    encoderNoRepeatNgramSize: read.integer('encoderNoRepeatNgramSize', 0, 0),
    badWordsIds: (options.badWordsIds ?? []).map((ids) => read.run('badWordsIds', ids)),
    prefixAllowedTokensFn: options.prefixAllowedTokensFn,
    forcedBosTokenId: read.ids('forcedBosTokenId')[0],
    forcedEosTokenIds: read.ids('forcedEosTokenId'),
    removeInvalidValues: read.flag('removeInvalidValues'),
    exponentialDecayLengthPenalty: options.exponentialDecayLengthPenalty,
    suppressTokens: read.ids('suppressTokens'),
    beginSuppressTokens: read.ids('beginSuppressTokens'),
    logitsProcessors: options.logitsProcessors ?? [],
    renormalizeLogits: read.flag('renormalizeLogits'),
    useCache: options.useCache === undefined ? undefined : read.flag('useCache'),
    cache,
    prefillChunkSize: read.integer(
      'prefillChunkSize',
      outputAttentions ? Infinity : PREFILL_CHUNK_SIZE,
      1,
    ),
    signal,
    outputAttentions,
    onStep,
  };
  if (options.seed !== undefined)
    assertInteger(where, 'seed', options.seed, 0, Number.MAX_SAFE_INTEGER);
  checkTogether(where, options, resolved);
  return resolved;
}

/** Rules about more than one option, and about those that are neither numbers nor ids. */
function checkTogether(where: string, given: GenerateOptions, resolved: ResolvedOptions): void {
  const { minNewTokens, maxNewTokens, numBeams, numReturnSequences, doSample } = resolved;
  assert(
    given.maxNewTokens === undefined || given.maxLength === undefined,
    () => `${where}: maxNewTokens and maxLength are both given. Leave one of them out.`,
  );
  assert(
    minNewTokens <= maxNewTokens,
    () =>
      `${where}: minNewTokens must be at most maxNewTokens, got ${minNewTokens} and ${maxNewTokens}.`,
  );
  assert(
    numBeams === 1 || numReturnSequences <= numBeams,
    () =>
      `${where}: numReturnSequences must be at most numBeams, got numReturnSequences=${numReturnSequences}, ` +
      `numBeams=${numBeams}.`,
  );
  assert(
    numReturnSequences === 1 || numBeams > 1 || doSample,
    () =>
      `${where}: without sampling and beams all rows of a prompt are the same, got ` +
      `numReturnSequences=${numReturnSequences}. Set doSample: true, or numBeams.`,
  );
  assert(
    [true, false, 'never'].includes(resolved.earlyStopping),
    () =>
      `${where}: earlyStopping must be true, false or 'never', got earlyStopping=${describe(given.earlyStopping)}.`,
  );
  const decay: readonly unknown[] | undefined = given.exponentialDecayLengthPenalty;
  assert(
    decay === undefined ||
      (Array.isArray(decay) &&
        decay.length === 2 &&
        Number.isInteger(decay[0]) &&
        (decay[0] as number) >= 0 &&
        (decay[1] as number) > 0 &&
        Number.isFinite(decay[1])),
    () =>
      `${where}: exponentialDecayLengthPenalty must be [number of tokens, factor above 0], ` +
      `got exponentialDecayLengthPenalty=${describe(decay)}.`,
  );
  assert(
    decay === undefined || resolved.eosTokenIds.length > 0,
    () => `${where}: exponentialDecayLengthPenalty needs an end token. Give eosTokenId.`,
  );
  assert(
    Array.isArray(resolved.logitsProcessors) &&
      resolved.logitsProcessors.every((processor) => typeof processor === 'function'),
    () =>
      `${where}: logitsProcessors must be an array of functions (scores, sequence) → scores, ` +
      `got logitsProcessors=${describe(given.logitsProcessors)}.`,
  );
  for (const name of ['prefixAllowedTokensFn', 'onStep'] as const) {
    assert(
      given[name] === undefined || typeof given[name] === 'function',
      () => `${where}: ${name} must be a function, got ${name}=${describe(given[name])}.`,
    );
  }
  assert(
    !resolved.outputAttentions || resolved.onStep !== undefined,
    () => `${where}: outputAttentions hands attention maps to onStep, which is not given.`,
  );
  const { cache } = given;
  assert(
    cache === undefined || cache instanceof KVCache,
    () => `${where}: cache must come from createCache, got cache=${describe(cache)}.`,
  );
  assert(
    cache === undefined || given.useCache !== false,
    () => `${where}: a cache is given, but useCache=false. Leave one of them out.`,
  );
  for (const name of ['tokenizer', 'sourceTokenizer'] as const) {
    const tokenizer = given[name];
    assert(
      tokenizer === undefined || typeof tokenizer.encode === 'function',
      () =>
        `${where}: ${name} must be a tokenizer, got ${name}=${describe(tokenizer)}. Make one with tokenizers.…`,
    );
  }
}

/** Reads options one by one; each error names the function that was called and the option. */
class OptionReader {
  constructor(
    private readonly where: string,
    private readonly options: GenerateOptions,
    private readonly vocabularySize: number,
  ) {}

  onlyWith(
    isSo: boolean,
    names: readonly (keyof GenerateOptions)[],
    when: string,
    without: string,
    remedy: string,
  ): void {
    for (const name of names) {
      assert(
        isSo || this.options[name] === undefined,
        () =>
          `${this.where}: ${name} only has a meaning ${when}, got ${name}=${describe(this.options[name])} without ` +
          `${without}. Set ${remedy}, or leave ${name} out.`,
      );
    }
  }

  flag(name: keyof GenerateOptions): boolean {
    const value = this.options[name] ?? false;
    assert(
      typeof value === 'boolean',
      () => `${this.where}: ${name} must be true or false, got ${name}=${describe(value)}.`,
    );
    return value;
  }

  number(name: keyof GenerateOptions, otherwise: number, min?: number, max?: number): number {
    return assertNumber(this.where, name, this.options[name] ?? otherwise, min, max);
  }

  positive(name: keyof GenerateOptions, otherwise: number, advice = ''): number {
    const value = this.number(name, otherwise);
    assert(value > 0, () =>
      `${this.where}: ${name} must be above 0, got ${name}=${value}. ${advice}`.trim(),
    );
    return value;
  }

  /** 0 < share ≤ 1 */
  share(name: keyof GenerateOptions, otherwise: number): number {
    const value = this.number(name, otherwise);
    assert(
      value > 0 && value <= 1,
      () => `${this.where}: ${name} must be above 0 and at most 1, got ${name}=${value}.`,
    );
    return value;
  }

  integer(name: keyof GenerateOptions, otherwise: number, min: number): number {
    const value = this.options[name];
    return value === undefined ? otherwise : assertInteger(this.where, name, value, min);
  }

  /** One id or several; none when the option is not given. */
  ids(name: keyof GenerateOptions): number[] {
    const given = this.options[name] as number | readonly number[] | undefined;
    const list = given === undefined ? [] : typeof given === 'number' ? [given] : [...given];
    assertTokenIds(`${this.where}: ${name}`, list, this.vocabularySize);
    return list;
  }

  /** A run of at least one id. */
  run(name: string, ids: readonly number[]): number[] {
    assert(
      Array.isArray(ids) && ids.length > 0,
      () => `${this.where}: ${name} must hold runs of at least one token id, got ${describe(ids)}.`,
    );
    assertTokenIds(`${this.where}: ${name}`, ids, this.vocabularySize);
    return Array.from<number>(ids);
  }
}
