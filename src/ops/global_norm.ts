import * as tf from '@tensorflow/tfjs-core';
import { assert } from '../util/errors.js';
import { assertFloatTensor } from '../util/float_tensor.js';
import { storesHalfFloats } from '../util/half_floats.js';
import { dispatch } from './dispatch.js';

/** Smallest 16-bit float that is stored with all its digits. */
const SMALLEST_NORMAL = 2 ** -14;

/**
 * Norm of many tensors as if they were one vector: √Σ x².
 *
 * @param tensors At least one, of any shapes, float32.
 * @returns A scalar; differentiable.
 * @throws Error when there is none.
 */
export function globalNorm(tensors: readonly tf.Tensor[]): tf.Scalar {
  assert(tensors.length > 0, () => 'globalNorm: tensors must not be empty.');
  tensors.forEach((tensor) => assertFloatTensor('globalNorm', 'tensors', tensor));
  const inputs = Object.fromEntries(tensors.map((tensor, i) => [`x${i}`, tensor]));
  return tf.tidy(() =>
    dispatch({
      kernel: 'TransformersGlobalNorm',
      inputs,
      differentiable: Object.keys(inputs),
      gradientTakesOutput: true,
      reference: () => {
        if (storesHalfFloats()) return scaledNorm(tf.stack(tensors.map(scaledNorm)));
        const squares = tensors.map((tensor) => tf.sum<tf.Scalar>(tf.square(tensor)));
        return tf.sqrt(tf.sum<tf.Scalar>(tf.stack(squares))); // addN of many does not compile on WebGPU
      },
    }),
  ) as tf.Scalar;
}

/** |x| = max·√n·√mean((x/max)²): in 16 bits squares below 2⁻²⁴ would be 0, and sums beyond 65,504 infinite. */
function scaledNorm(x: tf.Tensor): tf.Scalar {
  const most = tf.maximum<tf.Scalar>(tf.max(tf.abs(x)), SMALLEST_NORMAL);
  const part = tf.sqrt<tf.Scalar>(tf.mean(tf.square(tf.div(x, most))));
  return tf.mul(tf.mul(part, Math.sqrt(x.size)), most);
}
