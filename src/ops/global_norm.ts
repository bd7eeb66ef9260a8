import * as tf from '@tensorflow/tfjs-core';
import { assert } from '../util/errors.js';
import { assertFloatTensor } from '../util/float_tensor.js';
import { dispatch } from './dispatch.js';

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
        const squares = tensors.map((tensor) => tf.sum<tf.Scalar>(tf.square(tensor)));
        return tf.sqrt(tf.sum<tf.Scalar>(tf.stack(squares))); // addN of many does not compile on WebGPU
      },
    }),
  ) as tf.Scalar;
}
