import * as tf from '@tensorflow/tfjs-core';
import { assertInteger } from '../util/errors.js';
import { stopGradient } from '../util/stop_gradient.js';
import { assertRank, toTensor } from '../util/tensors.js';
import { causal } from './causal.js';

/**
 * Sees both ways inside a prefix and is causal after it: query i of row b sees key j where j ≤ i or
 * j < prefixLengths[b] (the "prefix LM" of Raffel et al., 2020).
 *
 * @param prefixLengths Length of each row's prefix, [B], a tensor or an array.
 * @param T Number of tokens.
 * @returns Bool mask, [B, 1, T, T].
 * @throws Error when prefixLengths has not one axis, an array in it holds something else than integers of at least 0,
 *   or T is no positive integer.
 */
export function prefix(prefixLengths: tf.Tensor | readonly number[], T: number): tf.Tensor4D {
  const where = 'masks.prefix';
  assertInteger(where, 'T', T);
  if (Array.isArray(prefixLengths)) {
    for (const length of prefixLengths) assertInteger(where, 'prefixLengths', length, 0);
  }
  return stopGradient(() => {
    const lengths = toTensor(where, 'prefixLengths', prefixLengths, 'int32');
    assertRank(where, 'prefixLengths', lengths, '[B]');
    const [B] = lengths.shape;
    const key = tf.reshape(tf.range(0, T, 1, 'int32'), [1, 1, 1, T]);
    const inPrefix = tf.less(key, tf.reshape(lengths, [B, 1, 1, 1])); // [B,1,1,T]
    return tf.logicalOr<tf.Tensor4D>(inPrefix, causal(T)); // [B,1,T,T]
  });
}
