import type * as tf from '@tensorflow/tfjs-core';
import { assertInteger } from '../util/errors.js';
import { band } from './band.js';

/**
 * Shows only keys near the query: query i sees key j where |i + offset − j| < window (Keras' `sliding_window`).
 *
 * Both sides are visible; `and(causal(T), slidingWindow(T, T, window))` is the window of a causal model, keys
 * i − window + 1 … i.
 *
 * @param T Number of queries.
 * @param S Number of keys.
 * @param window Width W of one side with the query's own position, at least 1.
 * @param offset Position of the first query, 0 by default.
 * @returns Bool mask, [1, 1, T, S].
 * @throws Error when a size or window is no positive integer, or offset no integer of at least 0.
 */
export function slidingWindow(T: number, S: number, window: number, offset = 0): tf.Tensor4D {
  const where = 'masks.slidingWindow';
  assertInteger(where, 'T', T);
  assertInteger(where, 'S', S);
  assertInteger(where, 'window', window);
  assertInteger(where, 'offset', offset, 0);
  return band(T, S, (i) => [i + offset - window + 1, i + offset + window]);
}
