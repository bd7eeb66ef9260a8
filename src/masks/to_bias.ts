import * as tf from '@tensorflow/tfjs-core';
import { stopGradient } from '../util/stop_gradient.js';
import { largeNegative } from './large_negative.js';
import { toBool } from './to_bool.js';

/**
 * The additive form M of a mask: exactly 0 where a query may attend, `largeNegative()` where it may not, so that
 * softmax(QKᵀ/√H + M) gives masked keys the weight 0.
 *
 * To combine masks use `and` first: a sum of two biases overflows where values are stored in 16 bits.
 *
 * @param mask Mask of any shape and dtype, nonzero = may attend.
 * @returns float32 tensor of the same shape.
 */
export function toBias(mask: tf.TensorLike | tf.Tensor): tf.Tensor {
  return stopGradient(() => {
    const visible = tf.cast(toBool(mask, 'masks.toBias'), 'float32');
    return tf.mul(tf.sub(visible, 1), -largeNegative()); // (1 − 1)·c = 0 and (0 − 1)·c = −c, both exact
  });
}
