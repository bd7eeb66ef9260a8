import * as tf from '@tensorflow/tfjs-core';
import { assertInteger, assertNumber } from '../util/errors.js';

/**
 * Slopes of attention with linear biases (Press et al., "Train Short, Test Long", 2022).
 *
 * For a power of two N: 2^(−max·1/N), 2^(−max·2/N), …, 2^(−max). For other numbers of heads: the slopes of the power
 * of two below, then every second one of the power of two above.
 *
 * @param numHeads N
 * @param biasMax Exponent of the steepest slope, 8 by default.
 * @returns N slopes.
 */
export function alibiSlopes(numHeads: number, biasMax = 8): number[] {
  assertInteger('alibiSlopes', 'numHeads', numHeads);
  assertNumber('alibiSlopes', 'biasMax', biasMax);
  const below = 2 ** Math.floor(Math.log2(numHeads));
  const slopes = (heads: number): number[] =>
    Array.from({ length: heads }, (_, h) => 2 ** ((-biasMax * (h + 1)) / heads));
  const extra = slopes(2 * below).filter((_, h) => h % 2 === 0);
  return [...slopes(below), ...extra.slice(0, numHeads - below)];
}

/** Options of `alibiBias`. */
export interface AlibiOptions {
  /** Position of the first query among the keys. Default 0. */
  offset?: number;
  /** Exponent of the steepest slope. Default 8. */
  biasMax?: number;
}

/**
 * The bias of attention with linear biases: −slope[n]·|i + offset − j|, to be given as `bias`.
 *
 * Keras' AlibiBias adds slope·(j − S + 1), which differs by a constant in each row; under a causal mask the
 * probabilities are the same. This form is also right without one.
 *
 * @param numHeads N
 * @param T Query length.
 * @param S Key length.
 * @param options See `AlibiOptions`.
 * @returns float32 [1, N, T, S]
 */
export function alibiBias(
  numHeads: number,
  T: number,
  S: number,
  options: AlibiOptions = {},
): tf.Tensor4D {
  const { offset = 0, biasMax = 8 } = options;
  return tf.tidy(() => {
    const slopes = tf.tensor4d(alibiSlopes(numHeads, biasMax), [1, numHeads, 1, 1]);
    const i = tf.reshape(tf.range(offset, offset + T), [1, 1, T, 1]);
    const j = tf.reshape(tf.range(0, S), [1, 1, 1, S]);
    return tf.mul(tf.neg(slopes), tf.abs(tf.sub(i, j)));
  });
}
