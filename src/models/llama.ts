import type * as tfl from '@tensorflow/tfjs-layers';
import { causalLM } from './causal_lm.js';
import {
  activationIn,
  camelCaseConfig,
  dropoutIn,
  numberIn,
  rotaryIn,
  type ModelExtras,
} from './hugging_face_config.js';

/** Configuration of Llama with Hugging Face's names; `config.json` as it is can be given too. Defaults are theirs. */
export interface LlamaConfig {
  /** V. Default 32000. */
  vocabSize?: number;
  /** D. Default 4096. */
  hiddenSize?: number;
  /** F. Default 11008. */
  intermediateSize?: number;
  /** Number of blocks. Default 32. */
  numHiddenLayers?: number;
  /** N. Default 32. */
  numAttentionHeads?: number;
  /** K. Default: `numAttentionHeads`. */
  numKeyValueHeads?: number | null;
  /** H. Default: D / N. */
  headDim?: number | null;
  /** Default `silu`. */
  hiddenAct?: string;
  /** Longest sequence. Default 2048. */
  maxPositionEmbeddings?: number;
  /** Default 1e-6. */
  rmsNormEps?: number;
  /** Default false. */
  tieWordEmbeddings?: boolean;
  /** Default false. */
  attentionBias?: boolean;
  /** Default false. */
  mlpBias?: boolean;
  /** Default 0. */
  attentionDropout?: number;
  /** Base of the wavelengths of version 4. Default 10000. */
  ropeTheta?: number;
  /** Scaling of rotary positions of version 4, `{ropeType, factor, …}`. */
  ropeScaling?: object | null;
  /** Rotary positions of version 5, `{ropeTheta, ropeType, factor, …}`. */
  ropeParameters?: object | null;
}

const KEYS = [
  'vocabSize', 'hiddenSize', 'intermediateSize', 'numHiddenLayers', 'numAttentionHeads', 'numKeyValueHeads', 'headDim',
  'hiddenAct', 'maxPositionEmbeddings', 'rmsNormEps', 'tieWordEmbeddings', 'attentionBias', 'mlpBias', 'attentionDropout',
  'ropeTheta', 'ropeScaling', 'ropeParameters', 'partialRotaryFactor',
]; // prettier-ignore

/**
 * `pretrainingTp` only splits products; with 1 it does not round in another way. `ropeInterleaved` says that the kernels of
 * query and key are laid out for another rotation.
 */
const FIXED = { pretrainingTp: 1, ropeInterleaved: false };

/**
 * Llama (Touvron et al., 2023; versions 1 to 3, and what has their shape, such as SmolLM2): `causalLM` with the options that
 * a configuration of Hugging Face's means.
 *
 * @param config See `LlamaConfig`; unknown keys are errors, those that say nothing about the computation are ignored.
 * @param extras What a configuration cannot say: inputs, padding, seed.
 * @returns What `causalLM` returns.
 * @throws Error when the configuration asks for something that cannot be done.
 */
export function llama(config: LlamaConfig = {}, extras: ModelExtras = {}): tfl.LayersModel {
  const where = 'llama';
  const c = camelCaseConfig(where, config, extras, KEYS, FIXED);
  const hiddenDim = numberIn(c, 'hiddenSize', 4096);
  const numHeads = numberIn(c, 'numAttentionHeads', 32);
  const headDim = numberIn(c, 'headDim', undefined);
  const maxSequenceLength = numberIn(c, 'maxPositionEmbeddings', 2048);
  const flag = (name: string): boolean => (c[name] as boolean | undefined) ?? false;
  return causalLM({
    ...extras,
    vocabularySize: numberIn(c, 'vocabSize', 32000),
    maxSequenceLength,
    hiddenDim,
    numLayers: numberIn(c, 'numHiddenLayers', 32),
    numHeads,
    numKeyValueHeads: numberIn(c, 'numKeyValueHeads', undefined),
    headDim,
    intermediateDim: numberIn(c, 'intermediateSize', 11008),
    position: 'rotary',
    rotary: rotaryIn(c, maxSequenceLength, headDim ?? hiddenDim / numHeads),
    normalization: 'rms',
    normEpsilon: numberIn(c, 'rmsNormEps', 1e-6),
    activation: activationIn(where, c.hiddenAct ?? 'silu'),
    gated: true,
    attentionBias: flag('attentionBias'),
    mlpBias: flag('mlpBias'),
    tieEmbeddings: flag('tieWordEmbeddings'),
    ...dropoutIn(where, {}, numberIn(c, 'attentionDropout', 0), extras),
  });
}
