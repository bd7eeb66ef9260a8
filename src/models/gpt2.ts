import type * as tfl from '@tensorflow/tfjs-layers';
import { causalLM } from './causal_lm.js';
import {
  activationIn,
  camelCaseConfig,
  dropoutIn,
  numberIn,
  type ModelExtras,
} from './hugging_face_config.js';

/** Configuration of GPT-2 with Hugging Face's names; `config.json` as it is can be given too. Defaults are theirs. */
export interface GPT2Config {
  /** V. Default 50257. */
  vocabSize?: number;
  /** Longest sequence. Default 1024. */
  nPositions?: number;
  /** D. Default 768. */
  nEmbd?: number;
  /** Number of blocks. Default 12. */
  nLayer?: number;
  /** N. Default 12. */
  nHead?: number;
  /** F. Default 4·D. */
  nInner?: number | null;
  /** Default `gelu_new`, the tanh form. */
  activationFunction?: string;
  /** Default 1e-5. */
  layerNormEpsilon?: number;
  /** Dropout of the output of each part of a block. Default 0.1. */
  residPdrop?: number;
  /** Dropout of embeddings; must be `residPdrop`. Default 0.1. */
  embdPdrop?: number;
  /** Dropout of attention probabilities. Default 0.1. */
  attnPdrop?: number;
  /** Default true. */
  tieWordEmbeddings?: boolean;
}

const KEYS = [
  'vocabSize', 'nPositions', 'nEmbd', 'nLayer', 'nHead', 'nInner', 'activationFunction', 'layerNormEpsilon',
  'residPdrop', 'embdPdrop', 'attnPdrop', 'tieWordEmbeddings',
]; // prettier-ignore

const FIXED = {
  scaleAttnWeights: true,
  scaleAttnByInverseLayerIdx: false,
  addCrossAttention: false,
};

/**
 * GPT-2 (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019): `causalLM` with the options that a
 * configuration of Hugging Face's means.
 *
 * @param config See `GPT2Config`; unknown keys are errors, those that say nothing about the computation are ignored.
 * @param extras What a configuration cannot say: inputs, padding, seed.
 * @returns What `causalLM` returns.
 * @throws Error when the configuration asks for something that cannot be done.
 */
export function gpt2(config: GPT2Config = {}, extras: ModelExtras = {}): tfl.LayersModel {
  const where = 'gpt2';
  const c = camelCaseConfig(where, config, extras, KEYS, FIXED);
  const rates = {
    residPdrop: numberIn(c, 'residPdrop', 0.1),
    embdPdrop: numberIn(c, 'embdPdrop', 0.1),
  };
  return causalLM({
    ...extras,
    vocabularySize: numberIn(c, 'vocabSize', 50257),
    maxSequenceLength: numberIn(c, 'nPositions', 1024),
    hiddenDim: numberIn(c, 'nEmbd', 768),
    numLayers: numberIn(c, 'nLayer', 12),
    numHeads: numberIn(c, 'nHead', 12),
    intermediateDim: numberIn(c, 'nInner', undefined),
    activation: activationIn(where, c.activationFunction ?? 'gelu_new'),
    normEpsilon: numberIn(c, 'layerNormEpsilon', 1e-5),
    tieEmbeddings: (c.tieWordEmbeddings as boolean | undefined) ?? true,
    ...dropoutIn(where, rates, numberIn(c, 'attnPdrop', 0.1), extras),
  });
}
