/** A small language model for the tests of training. */
import type * as tf from '@tensorflow/tfjs';
import { causalLM, type CausalLMOptions } from '../../src/models/causal_lm.js';

/**
 * A model with one block, 11 tokens and 7 positions.
 *
 * @param options Options of `causalLM` that differ.
 * @returns The model; the same weights on every call unless `seed` differs.
 */
export function tinyModel(options: Partial<CausalLMOptions> = {}): tf.LayersModel {
  return causalLM({
    vocabularySize: 11,
    maxSequenceLength: 7,
    hiddenDim: 10,
    numLayers: 1,
    numHeads: 2,
    seed: 1,
    ...options,
  });
}

/**
 * Current values of all weights.
 *
 * @param model A model.
 * @returns The variables themselves.
 */
export function weightsOf(model: tf.LayersModel): tf.Tensor[] {
  return model.weights.map((weight) => weight.read());
}
