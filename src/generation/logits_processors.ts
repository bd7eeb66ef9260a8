import { allowTokens } from './processors/allow_tokens.js';
import { epsilonCutoff } from './processors/epsilon_cutoff.js';
import { etaCutoff } from './processors/eta_cutoff.js';
import { exponentialDecayLengthPenalty } from './processors/exponential_decay_length_penalty.js';
import { forceTokens } from './processors/force_tokens.js';
import type { LogitsProcessor } from './processors/logits_processor.js';
import { minP } from './processors/min_p.js';
import { noRepeatNgram } from './processors/no_repeat_ngram.js';
import { removeInvalidValues } from './processors/remove_invalid_values.js';
import { renormalizeLogits } from './processors/renormalize_logits.js';
import { repetitionPenalty } from './processors/repetition_penalty.js';
import { sequenceBias, type SequenceBias } from './processors/sequence_bias.js';
import { suppressTokens } from './processors/suppress_tokens.js';
import { temperature } from './processors/temperature.js';
import { topH } from './processors/top_h.js';
import { topK } from './processors/top_k.js';
import { topP } from './processors/top_p.js';
import { typicalP } from './processors/typical_p.js';

/** What decides which processors run; the options of `generate` of these names. */
export interface ProcessorOptions {
  /** Empty: off. */
  sequenceBias: readonly SequenceBias[];
  /** 1: off. */
  encoderRepetitionPenalty: number;
  /** 1: off. */
  repetitionPenalty: number;
  /** 0: off. */
  noRepeatNgramSize: number;
  /** 0: off. */
  encoderNoRepeatNgramSize: number;
  /** Empty: off. */
  badWordsIds: readonly (readonly number[])[];
  /** 0: off. */
  minLength: number;
  /** 0: off. */
  minNewTokens: number;
  /** Undefined: off. */
  prefixAllowedTokensFn?: (promptIndex: number, ids: readonly number[]) => readonly number[];
  /** Undefined: off. */
  forcedBosTokenId?: number;
  /** Empty: off. */
  forcedEosTokenIds: readonly number[];
  /** False: off. */
  removeInvalidValues: boolean;
  /** Undefined: off. */
  exponentialDecayLengthPenalty?: readonly [start: number, factor: number];
  /** Empty: off. */
  suppressTokens: readonly number[];
  /** Empty: off. */
  beginSuppressTokens: readonly number[];
  /** Empty: off. */
  logitsProcessors: readonly LogitsProcessor[];
  /** End tokens. */
  eosTokenIds: readonly number[];
  /** Whether the sampling filters run. */
  doSample: boolean;
  /** 1: off. */
  temperature: number;
  /** Undefined: off. */
  topH?: number;
  /** Undefined: off. */
  topK?: number;
  /** 1: off. */
  topP: number;
  /** 0: off. */
  minP: number;
  /** 1: off. */
  typicalP: number;
  /** 0: off. */
  epsilonCutoff: number;
  /** 0: off. */
  etaCutoff: number;
  /** For the filters of sampling. */
  minTokensToKeep: number;
  /** False: off. */
  renormalizeLogits: boolean;
}

/**
 * The processors that options ask for, in the order in which transformers' `generate` runs them. Those from
 * `temperature` to `etaCutoff` run only when sampling.
 *
 * @param options Which ones, and how strong.
 * @returns The list; `scores → list[0] → list[1] → …`.
 */
export function logitsProcessors(options: ProcessorOptions): LogitsProcessor[] {
  const list: LogitsProcessor[] = [];
  const add = (wanted: boolean, processor: LogitsProcessor): void => {
    if (wanted) list.push(processor);
  };
  const { eosTokenIds: ends, minTokensToKeep: least, minLength, minNewTokens } = options;

  add(options.sequenceBias.length > 0, (s, sequence) =>
    sequenceBias(s, sequence, options.sequenceBias),
  );
  add(options.encoderRepetitionPenalty !== 1, (s, { sourceIds }) =>
    repetitionPenalty(s, { ids: sourceIds }, 1 / options.encoderRepetitionPenalty),
  );
  add(options.repetitionPenalty !== 1, (s, sequence) =>
    repetitionPenalty(s, sequence, options.repetitionPenalty),
  );
  add(options.noRepeatNgramSize > 0, (s, sequence) =>
    noRepeatNgram(s, sequence, options.noRepeatNgramSize),
  );
  add(options.encoderNoRepeatNgramSize > 0, (s, sequence) =>
    noRepeatNgram(s, sequence, options.encoderNoRepeatNgramSize, sequence.sourceIds),
  );
  const bad = options.badWordsIds
    .filter((run) => !(run.length === 1 && ends.includes(run[0])))
    .map((run): SequenceBias => [run, -Infinity]);
  add(bad.length > 0, (s, sequence) => sequenceBias(s, sequence, bad));
  add(minLength > 0, (s, { ids }) => (ids.length < minLength ? suppressTokens(s, ends) : s));
  add(minNewTokens > 0, (s, { ids, promptLength }) =>
    ids.length - promptLength < minNewTokens ? suppressTokens(s, ends) : s,
  );
  add(options.prefixAllowedTokensFn !== undefined, (s, { promptIndex, ids }) =>
    allowTokens(s, options.prefixAllowedTokensFn!(promptIndex, ids)),
  );
  add(options.forcedBosTokenId !== undefined, (s, { ids }) =>
    ids.length === 1 ? forceTokens(s, [options.forcedBosTokenId!]) : s,
  );
  add(options.forcedEosTokenIds.length > 0, (s, { ids, maxLength }) =>
    ids.length === maxLength - 1 ? forceTokens(s, options.forcedEosTokenIds) : s,
  );
  add(options.removeInvalidValues, removeInvalidValues);
  add(options.exponentialDecayLengthPenalty !== undefined, (s, sequence) =>
    exponentialDecayLengthPenalty(s, sequence, options.exponentialDecayLengthPenalty!, ends),
  );
  add(options.suppressTokens.length > 0, (s) => suppressTokens(s, options.suppressTokens));
  add(options.beginSuppressTokens.length > 0, (s, { ids, promptLength }) => {
    // A forced first token is not yet the beginning.
    const isForced = promptLength === 1 && options.forcedBosTokenId !== undefined;
    const isFirst = ids.length === promptLength + (isForced ? 1 : 0);
    return isFirst ? suppressTokens(s, options.beginSuppressTokens) : s;
  });
  list.push(...options.logitsProcessors);

  if (options.doSample) {
    add(options.temperature !== 1, (s) => temperature(s, options.temperature));
    add(options.topH !== undefined, (s) => topH(s, options.topH!));
    add(options.topK !== undefined, (s) => topK(s, options.topK!, least));
    add(options.topP < 1, (s) => topP(s, options.topP, least));
    add(options.minP > 0, (s) => minP(s, options.minP, least));
    add(options.typicalP < 1, (s) => typicalP(s, options.typicalP, least));
    add(options.epsilonCutoff > 0, (s) => epsilonCutoff(s, options.epsilonCutoff, least));
    add(options.etaCutoff > 0, (s) => etaCutoff(s, options.etaCutoff, least));
  }
  add(options.renormalizeLogits, renormalizeLogits);
  return list;
}
