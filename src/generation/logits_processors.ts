import type { LogitsProcessor } from './processors/logits_processor.js';
import { minP } from './processors/min_p.js';
import { noRepeatNgram } from './processors/no_repeat_ngram.js';
import { repetitionPenalty } from './processors/repetition_penalty.js';
import { suppressTokens } from './processors/suppress_tokens.js';
import { temperature } from './processors/temperature.js';
import { topK } from './processors/top_k.js';
import { topP } from './processors/top_p.js';

/** What decides which processors run; the options of `generate` of these names. */
export interface ProcessorOptions {
  /** 1: off. */
  repetitionPenalty: number;
  /** 0: off. */
  noRepeatNgramSize: number;
  /** 0: off. */
  minLength: number;
  /** 0: off. */
  minNewTokens: number;
  /** Empty: off. */
  suppressTokens: readonly number[];
  /** End tokens. */
  eosTokenIds: readonly number[];
  /** Whether the sampling filters run. */
  doSample: boolean;
  /** 1: off. */
  temperature: number;
  /** Undefined: off. */
  topK?: number;
  /** 1: off. */
  topP: number;
  /** 0: off. */
  minP: number;
}

/**
 * The processors that options ask for, in the order in which transformers' `generate` runs them; those after
 * `suppressTokens` only when sampling.
 *
 * @param options Which ones, and how strong.
 * @returns The list; `scores → list[0] → list[1] → …`.
 */
export function logitsProcessors(options: ProcessorOptions): LogitsProcessor[] {
  const list: LogitsProcessor[] = [];
  const add = (wanted: boolean, processor: LogitsProcessor): void => {
    if (wanted) list.push(processor);
  };
  const { noRepeatNgramSize, minLength, minNewTokens, eosTokenIds, doSample } = options;
  add(options.repetitionPenalty !== 1, (s, sequence) =>
    repetitionPenalty(s, sequence, options.repetitionPenalty),
  );
  add(noRepeatNgramSize > 0, (s, sequence) => noRepeatNgram(s, sequence, noRepeatNgramSize));
  add(minLength > 0, (s, { ids }) => (ids.length < minLength ? suppressTokens(s, eosTokenIds) : s));
  add(minNewTokens > 0, (s, { ids, promptLength }) =>
    ids.length - promptLength < minNewTokens ? suppressTokens(s, eosTokenIds) : s,
  );
  add(options.suppressTokens.length > 0, (s) => suppressTokens(s, options.suppressTokens));
  if (!doSample) return list;
  add(options.temperature !== 1, (s) => temperature(s, options.temperature));
  add(options.topK !== undefined, (s) => topK(s, options.topK!));
  add(options.topP < 1, (s) => topP(s, options.topP));
  add(options.minP > 0, (s) => minP(s, options.minP));
  return list;
}
