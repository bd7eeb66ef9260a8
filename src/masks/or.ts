import * as tf from '@tensorflow/tfjs-core';
import { combine } from './combine.js';

/**
 * Visible where at least one mask says so.
 *
 * @param masks One or more masks of any dtype, nonzero = may attend; their shapes broadcast.
 * @returns Bool mask of the broadcast shape.
 * @throws Error when no mask is given or the shapes do not broadcast.
 */
export function or(...masks: (tf.TensorLike | tf.Tensor)[]): tf.Tensor {
  return combine('masks.or', masks, tf.logicalOr);
}
