/** What queries get that may look at nothing. */
import * as tf from '@tensorflow/tfjs-core';
import { and } from '../masks/and.js';
import { causal } from '../masks/causal.js';
import { slidingWindow } from '../masks/sliding_window.js';
import { broadcastMask, broadcastNumbers } from '../util/broadcast.js';
import { assert, describe } from '../util/errors.js';
import { stopGradient } from '../util/stop_gradient.js';

/** What a query gets that may look at nothing: 0, or the mean of all values. */
export type EmptyRows = 'zero' | 'mean';

/**
 * Checks the option.
 *
 * @param where Name of the layer.
 * @param value What was given.
 * @returns The value, `zero` by default.
 */
export function emptyRowsOf(where: string, value: unknown): EmptyRows {
  const rows = value ?? 'zero';
  assert(
    rows === 'zero' || rows === 'mean',
    () => `${where}: emptyRows must be 'zero' or 'mean', got emptyRows=${describe(value)}.`,
  );
  return rows;
}

/**
 * Puts the mean of all values where a query may look at nothing, as Keras' fused attention does on every backend: there all
 * scores of such a row are the same large negative number.
 *
 * @param output [B, T, N, Hv]
 * @param value [B, S, K, Hv]
 * @param masks Masks that broadcast to [B, N, T, S].
 * @param options Whether the attention is causal, and its window.
 * @returns [B, T, N, Hv]
 */
export function meanInEmptyRows(
  output: tf.Tensor4D,
  value: tf.Tensor4D,
  masks: readonly tf.Tensor[],
  options: { causal: boolean; window: number | null },
): tf.Tensor4D {
  if (masks.length === 0) return output;
  const [B, T, N, Hv] = output.shape;
  const [, S, K] = value.shape;
  const empty = stopGradient(() => {
    const all = [
      ...masks,
      ...(options.causal ? [causal(T, S)] : []),
      ...(options.window === null ? [] : [slidingWindow(T, S, options.window)]),
    ];
    const sees = tf.any(and(...all), -1, true); // [B, N, T, 1]
    // As floats, which a cast does not make there: for bool, TensorFlow.js' shader of WebGPU does not compile.
    const counts = tf.where(sees, tf.ones(sees.shape), tf.zeros(sees.shape));
    const seen = tf.transpose(counts, [0, 2, 1, 3]);
    return broadcastMask(tf.equal(seen, 0), [B, T, N, Hv]);
  });
  const means = tf.reshape(tf.mean(value, 1), [B, 1, K, 1, Hv]);
  const perHead = broadcastNumbers(means, [B, 1, K, N / K, Hv]);
  const rows = broadcastNumbers(tf.reshape(perHead, [B, 1, N, Hv]), [B, T, N, Hv]);
  return tf.where(empty, rows as tf.Tensor4D, output);
}
