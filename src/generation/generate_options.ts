import type * as tf from '@tensorflow/tfjs-core';
import type { KVCache } from '../cache/kv_cache.js';
import type { Tokenizer } from '../tokenizers/tokenizer.js';
import type { LogitsProcessor } from './processors/logits_processor.js';
import type { SequenceBias } from './processors/sequence_bias.js';

/** What `onStep` is told about one step. */
export interface StepScores {
  /** Number of the step, from 0. */
  step: number;
  /** The new id of each row; the padding id for a finished row. With beams: of each beam that goes on. */
  ids: readonly number[];
  /**
   * The scores [V] of each row that the model was run on, after all processors: removed tokens are −Infinity. With
   * beams, logarithms of probabilities, one row a prompt in the first step, later one a beam.
   */
  scores: readonly Float32Array[];
  /**
   * With `outputAttentions`: the attention probabilities [rows, N, T, S] of the tokens of this step, by the path of the
   * layer (`block_0/self_attention`); the prompt's in the first step. They are disposed of when `onStep` is done:
   * clone and `tf.keep` what you want to keep.
   */
  attentions?: ReadonlyMap<string, tf.Tensor4D>;
}

/**
 * Options of `generate` and `stream`, with the names and meanings of Hugging Face's generation config in camelCase.
 * Defaults are those written here; `topK` is not 50 unless asked.
 */
export interface GenerateOptions {
  /** Turns a prompt of text into ids, and ids into `text`. Needed for a prompt of text. */
  tokenizer?: Tokenizer;
  /** Turns the prompt into ids where an encoder–decoder model reads other tokens than it writes. Default `tokenizer`. */
  sourceTokenizer?: Tokenizer;
  /** Most tokens to generate for each prompt. Default 20, or what `maxLength` leaves. */
  maxNewTokens?: number;
  /** Longest row, prompt included. Default none. Not together with `maxNewTokens`. */
  maxLength?: number;
  /** No end token before a row has so many new tokens. Default 0. */
  minNewTokens?: number;
  /** No end token before a row has so many tokens, prompt included. Default 0. */
  minLength?: number;
  /** A row is finished when it has produced this id, or one of these; the id is part of the row. Default none. */
  eosTokenId?: number | readonly number[];
  /** Fills up shorter prompts on the left, and finished rows while others go on. Default: the first end token, else 0. */
  padTokenId?: number;
  /** The token that each row of an encoder–decoder model starts with. Needed for such a model. */
  decoderStartTokenId?: number;
  /** Rows returned for each prompt, one after the other. Default 1; more need `doSample` or beams. */
  numReturnSequences?: number;

  /** Whether to draw from the distribution; otherwise the most likely token is taken. Default false. */
  doSample?: boolean;
  /** Divides the logits, above 0. Default 1. Only with `doSample`. */
  temperature?: number;
  /** Only so many tokens that their terms of the entropy sum to this share of it, 0 < topH ≤ 1. Only with `doSample`. */
  topH?: number;
  /** Only the k most likely tokens. Default: all. Only with `doSample`. */
  topK?: number;
  /** Only the most likely tokens that make up this share of the probability, 0 < topP ≤ 1. Default 1. Only with `doSample`. */
  topP?: number;
  /** Only tokens with at least this share of the highest probability, 0 … 1. Default 0. Only with `doSample`. */
  minP?: number;
  /** Only the most typical tokens that make up this share of the probability, 0 < typicalP ≤ 1. Default 1. Only with `doSample`. */
  typicalP?: number;
  /** Only tokens with at least this probability, 0 … 1. Default 0. Only with `doSample`. */
  epsilonCutoff?: number;
  /** The same, with a lower bar where the distribution is flat, 0 … 1. Default 0. Only with `doSample`. */
  etaCutoff?: number;
  /**
   * No filter leaves fewer tokens. Default 1; with beams the number of end tokens and 1. Only with `doSample`.
   */
  minTokensToKeep?: number;
  /** Seed of the draws: the same seed gives the same ids on the same backend. Default: a random one. */
  seed?: number;

  /** Number of beams. Default 1: no beam search. */
  numBeams?: number;
  /** A finished beam's score is its sum of log-probabilities / (new tokens ^ lengthPenalty). Default 1. Only with beams. */
  lengthPenalty?: number;
  /**
   * When the search for a prompt ends: true, as soon as there are `numBeams` finished rows; false, when a better one is
   * unlikely; `'never'`, when there cannot be a better one. Default false. Only with beams.
   */
  earlyStopping?: boolean | 'never';

  /** Runs of tokens and what is added to the score of their last one after the others. Default none. */
  sequenceBias?: readonly SequenceBias[];
  /** Above 1 makes tokens of the source (the prompt, or what the encoder read) more likely. Default 1. */
  encoderRepetitionPenalty?: number;
  /** Above 1 makes tokens that occurred before less likely. Default 1. */
  repetitionPenalty?: number;
  /** No run of so many tokens occurs twice. Default 0: allowed. */
  noRepeatNgramSize?: number;
  /** No run of so many tokens of the source occurs. Default 0: allowed. */
  encoderNoRepeatNgramSize?: number;
  /** Runs of tokens that never occur. End tokens alone are not counted among them. Default none. */
  badWordsIds?: readonly (readonly number[])[];
  /** The only tokens that may come next, given the number of the prompt and the ids so far. Default: all. */
  prefixAllowedTokensFn?: (promptIndex: number, ids: readonly number[]) => readonly number[];
  /** The first token after a start token: where a row has one token only. Default none. */
  forcedBosTokenId?: number;
  /** The last token of a row that becomes as long as it may, or several of which one is. Default none. */
  forcedEosTokenId?: number | readonly number[];
  /** Take NaN and infinities of the model for numbers instead of an error. Default false. */
  removeInvalidValues?: boolean;
  /** From so many new tokens on an end becomes more likely by this factor a token. Default none. */
  exponentialDecayLengthPenalty?: readonly [start: number, factor: number];
  /** Ids that are never produced. Default none. */
  suppressTokens?: readonly number[];
  /** Ids that are not produced first. Default none. */
  beginSuppressTokens?: readonly number[];
  /** Processors of your own, after those above and before the filters of sampling. Default none. */
  logitsProcessors?: readonly LogitsProcessor[];
  /** Turn the scores into logarithms of probabilities at the end. Default false. */
  renormalizeLogits?: boolean;

  /** Whether keys and values are kept from step to step. Default true, where the model has attention layers. */
  useCache?: boolean;
  /** A cache of `createCache` to go on from and to leave filled. Default: one for this call, freed at its end. */
  cache?: KVCache;
  /** Feed a prompt in parts of at most so many tokens: bounds memory. Default 512; only with a cache. */
  prefillChunkSize?: number;
  /** Stops within one token when it is aborted; what was generated by then is the result. */
  signal?: AbortSignal;
  /** Whether `onStep` gets attention maps. A prompt is then fed at once, unless `prefillChunkSize` is given. Default false. */
  outputAttentions?: boolean;
  /** Called after each step, before it is yielded; a promise is waited for. */
  onStep?: (info: StepScores) => unknown;
}
