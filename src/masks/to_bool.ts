import * as tf from '@tensorflow/tfjs-core';
import { stopGradient } from '../util/stop_gradient.js';
import { toTensor } from '../util/tensors.js';

/**
 * A mask of any dtype as bool: nonzero is true, zero (of either sign) is false.
 *
 * Functional models hand bool outputs on as float32, so every function that takes a mask goes through here. NaN is not
 * zero and counts as true on backends that follow IEEE 754; shaders may not, so keep NaN out of masks. The result has
 * no gradient: a mask made from differentiated tensors is a constant.
 *
 * @param mask Mask of any shape, float32, int32 or bool.
 * @param where Name of the caller in errors, `masks.toBool` by default.
 * @param name Name of the argument in errors, `mask` by default.
 * @returns Bool tensor of the same shape, always a new one.
 */
export function toBool(
  mask: tf.TensorLike | tf.Tensor,
  where = 'masks.toBool',
  name = 'mask',
): tf.Tensor {
  return stopGradient(() => {
    const m = toTensor(where, name, mask);
    // Not cast(m, 'bool'): the wasm backend truncates to a byte there, so that 0.5 and 256 would become false.
    return m.dtype === 'bool' ? tf.clone(m) : tf.notEqual(m, tf.scalar(0, m.dtype));
  });
}
