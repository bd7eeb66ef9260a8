import * as tf from '@tensorflow/tfjs-core';
import { assert } from '../util/errors.js';
import { assertFloatTensor } from '../util/float_tensor.js';
import { usesKernel } from './dispatch.js';

const KERNEL = 'TransformersTensorSums';

/**
 * The sum of each of many tensors, in one vector: what tells, without a transfer for each, which of them hold a number that is
 * not finite.
 *
 * @param tensors At least one, of any shapes, float32. No gradients flow into them.
 * @returns [tensors.length]; NaN or infinite where a tensor holds such a number (or its sum is beyond 3·10³⁸).
 * @throws Error when there is none.
 */
export function tensorSums(tensors: readonly tf.Tensor[]): tf.Tensor1D {
  assert(tensors.length > 0, () => 'tensorSums: tensors must not be empty.');
  tensors.forEach((tensor) => assertFloatTensor('tensorSums', 'tensors', tensor));
  const inputs = Object.fromEntries(tensors.map((tensor, i) => [`x${i}`, tensor]));
  if (usesKernel(KERNEL, inputs, {})) return tf.engine().runKernel(KERNEL, inputs);
  return tf.tidy(() => tf.stack(tensors.map((tensor) => tf.sum(tensor)))) as tf.Tensor1D;
}
