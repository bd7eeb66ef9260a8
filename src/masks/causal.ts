import type * as tf from '@tensorflow/tfjs-core';
import { assertInteger } from '../util/errors.js';
import { band } from './band.js';

/**
 * Hides the future: query i sees key j where j ≤ i + offset. Aligned top-left, as in Keras and PyTorch.
 *
 * @param T Number of queries.
 * @param S Number of keys, T by default.
 * @param offset Position of the first query, 0 by default; with a key/value cache, the number of tokens already in it.
 * @returns Bool mask, [1, 1, T, S].
 * @throws Error when a size is no positive integer or offset no integer of at least 0.
 */
export function causal(T: number, S: number = T, offset = 0): tf.Tensor4D {
  const where = 'masks.causal';
  assertInteger(where, 'T', T);
  assertInteger(where, 'S', S);
  assertInteger(where, 'offset', offset, 0);
  return band(T, S, (i) => [0, i + offset + 1]);
}
