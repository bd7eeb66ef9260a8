import * as tf from '@tensorflow/tfjs';
import { expectNoLeak } from './backends.js';

/**
 * Asserts that a function of tensors leaves no tensor behind, forward and backward.
 *
 * @param fn The function.
 * @param inputs Tensors that it is differentiated in.
 */
export function expectNoLeaks(
  fn: (...inputs: tf.Tensor[]) => tf.Tensor,
  inputs: tf.Tensor[],
): void {
  expectNoLeak(() => fn(...inputs));
  expectNoLeak(() => tf.grads((...at: tf.Tensor[]) => fn(...at))(inputs));
}
