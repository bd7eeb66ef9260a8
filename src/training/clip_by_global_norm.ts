import * as tf from '@tensorflow/tfjs-core';
import { globalNorm } from '../ops/global_norm.js';
import { assert, assertNumber } from '../util/errors.js';

/**
 * Scales gradients down together so that their global norm stays below a bound:
 *
 *     norm = √Σ g²  over all elements of all gradients        g ← g·min(1, maxNorm/(norm + 1e-6))
 *
 * The direction of the step does not change (`torch.nn.utils.clip_grad_norm_`).
 *
 * @param gradients By name, or a list.
 * @param maxNorm Largest norm, above 0.
 * @returns New gradients in the same form, and the norm before clipping.
 */
export function clipByGlobalNorm<G extends tf.NamedTensorMap | tf.Tensor[]>(
  gradients: G,
  maxNorm: number,
): { gradients: G; norm: tf.Scalar } {
  assertNumber('clipByGlobalNorm', 'maxNorm', maxNorm, Number.MIN_VALUE);
  const names = Object.keys(gradients);
  const list: tf.Tensor[] = Object.values(gradients);
  assert(list.length > 0, () => 'clipByGlobalNorm: gradients must not be empty.');
  const { norm, clipped } = tf.tidy(() => {
    const total = globalNorm(list);
    const scale = clipScale(total, maxNorm);
    return { norm: total, clipped: list.map((gradient) => tf.mul(gradient, scale)) };
  });
  const result = Array.isArray(gradients)
    ? clipped
    : Object.fromEntries(names.map((name, i) => [name, clipped[i]]));
  return { gradients: result as G, norm };
}

/**
 * The factor that clipping multiplies by.
 *
 * @param norm Global norm, a scalar.
 * @param maxNorm Its bound.
 * @returns min(1, maxNorm/(norm + 1e-6)), a scalar.
 */
export function clipScale(norm: tf.Tensor, maxNorm: number): tf.Scalar {
  return tf.tidy(() => tf.minimum<tf.Scalar>(tf.div(maxNorm, tf.add(norm, 1e-6)), 1));
}
