/** Models for the tests of generation: small ones with decided opinions, and ones that only look like models. */
import * as tf from '@tensorflow/tfjs';
import { causalLM, type CausalLMOptions } from '../../src/models/causal_lm.js';
import { normal } from '../../src/util/random.js';

/** V of the tiny models. */
export const V = 13;

/**
 * A causal language model of two layers whose logits differ by far more than rounding.
 *
 * @param options What differs from the usual.
 */
export function tinyModel(options: Partial<CausalLMOptions> = {}): tf.LayersModel {
  const model = causalLM({
    vocabularySize: V,
    maxSequenceLength: 23,
    hiddenDim: 12,
    numLayers: 2,
    numHeads: 2,
    intermediateDim: 17,
    ...options,
  }) as unknown as tf.LayersModel;
  return opinionated(model);
}

/**
 * Gives a model large weights, the same on every backend.
 *
 * @param model Any model.
 */
export function opinionated(model: tf.LayersModel): tf.LayersModel {
  tf.tidy(() => {
    const weights = model.getWeights().map((weight, i) => {
      const isScale = /(gamma|scale)(_\d+)?$/.test(model.weights[i].name);
      const values = normal(71 + i, 0, weight.size).map((x) => (isScale ? 1 : 0) + 0.5 * x);
      return tf.tensor(values, weight.shape);
    });
    model.setWeights(weights);
  });
  return model;
}

/** What a fake model was called with. */
export interface FakeCall {
  ids: number[][];
  kwargs: Record<string, unknown>;
}

/**
 * An object that looks like a model: its logits come from a function of the row so far.
 *
 * @param logits ids of a row → the V logits of its next token.
 * @param size V
 */
export function fakeModel(
  logits: (ids: number[]) => number[],
  size: number,
): tf.LayersModel & { calls: FakeCall[] } {
  const calls: FakeCall[] = [];
  return {
    inputs: [{ name: 'ids', shape: [null, null] }],
    outputs: [{ name: 'logits', shape: [null, null, size] }],
    calls,
    apply(ids: tf.Tensor2D, kwargs: Record<string, unknown>): tf.Tensor {
      const rows = ids.arraySync();
      calls.push({ ids: rows, kwargs });
      return tf.tensor3d(
        rows.map((row) => [logits(row)]),
        [rows.length, 1, size],
      );
    },
  } as unknown as tf.LayersModel & { calls: FakeCall[] };
}

/**
 * A fake model that says fixed ids, one after the other, whatever the prompt.
 *
 * @param script Ids to say; the last one is repeated.
 * @param promptLength Length of the prompt.
 * @param size V
 */
export function scriptedModel(
  script: number[],
  promptLength: number,
  size: number,
): ReturnType<typeof fakeModel> {
  return fakeModel((ids) => {
    const next = script[Math.min(ids.length - promptLength, script.length - 1)];
    return Array.from({ length: size }, (_, id) => (id === next ? 5 : 0));
  }, size);
}

/**
 * The logits [B, T, V] of a plain call.
 *
 * @param model The model.
 * @param ids [B, T]
 */
export function plainLogits(model: tf.LayersModel, ids: number[][]): tf.Tensor3D {
  return model.apply(tf.tensor2d(ids, undefined, 'int32'), { training: false }) as tf.Tensor3D;
}
