/** keras-hub's names for the options of a transformer block. */
import type * as tf from '@tensorflow/tfjs-core';
import { assert } from '../util/errors.js';
import type { TransformerBlockArgs } from './block_options.js';

type Renamed = 'normFirst' | 'normEpsilon' | 'activation';

/** Options of keras-hub's encoder and decoder, and those of `transformerBlock` that keras-hub does not have. */
export interface KerasHubBlockArgs extends Omit<TransformerBlockArgs, Renamed> {
  /** Default `relu`. */
  activation?: TransformerBlockArgs['activation'];
  /** Epsilon of the normalisations. Default 1e-5. */
  layerNormEpsilon?: number;
  /** Normalise before each part (true) or after its residual (false). Default false. */
  normalizeFirst?: boolean;
}

/** What a configuration holds in any case; the rest only when it is not as keras-hub's block is. */
const KERAS_HUB = [
  'intermediateDim', 'numHeads', 'dropout', 'activation', 'kernelInitializer', 'biasInitializer',
]; // prettier-ignore

/** Other options of a block, with what they are in keras-hub's. */
const FIXED: Record<string, unknown> = {
  numKeyValueHeads: null,
  headDim: null,
  normalization: 'layer',
  gated: false,
  attentionBias: true,
  mlpBias: true,
  qkNorm: false,
  rotary: null,
  alibi: false,
  window: null,
  softCap: null,
  emptyRows: 'zero',
  attentionDropout: null,
  residualInitializer: null,
  seed: null,
  gradientCheckpointing: false,
};

/** Options beyond keras-hub's, which a configuration leaves out while they are not used. */
export const BEYOND_KERAS_HUB = Object.keys(FIXED);

/**
 * The block that keras-hub's options describe.
 *
 * @param where Name of the layer, for errors.
 * @param args keras-hub's options.
 * @returns The options of `transformerBlock`.
 */
export function kerasHubBlock(
  where: string,
  { layerNormEpsilon, normalizeFirst, ...args }: KerasHubBlockArgs,
): TransformerBlockArgs {
  assert(
    !('normFirst' in args || 'normEpsilon' in args),
    () =>
      `${where}: normFirst and normEpsilon are called normalizeFirst and layerNormEpsilon here.`,
  );
  return {
    ...args,
    activation: args.activation ?? 'relu',
    normFirst: normalizeFirst ?? false,
    normEpsilon: layerNormEpsilon ?? 1e-5,
  };
}

/**
 * The configuration of a block in keras-hub's names.
 *
 * @param options Options of `transformerBlock`.
 * @returns Those of keras-hub.
 */
export function kerasHubOptions(options: tf.serialization.ConfigDict): tf.serialization.ConfigDict {
  const used = Object.entries(options).filter(
    ([name, value]) => KERAS_HUB.includes(name) || (name in FIXED && value !== FIXED[name]),
  );
  return {
    ...Object.fromEntries(used),
    layerNormEpsilon: options.normEpsilon,
    normalizeFirst: options.normFirst,
  };
}
