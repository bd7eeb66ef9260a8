import * as tf from '@tensorflow/tfjs-core';

/**
 * Runs a computation whose result is a constant to gradients, whatever tensors it reads.
 *
 * TensorFlow.js has no `stopGradient`, and comparisons have no gradient there: a boolean made from a tensor that is
 * being differentiated puts, say, `LogicalAnd` on the tape, and the backward pass throws. Operations inside a
 * `customGrad` are not recorded, and one without inputs is never on a path from x to y.
 *
 * @param body Synchronous function; it is run in a tidy.
 * @returns The tensor that `body` returns, with no history.
 */
export function stopGradient<T extends tf.Tensor>(body: () => T): T {
  return tf.customGrad<T>(() => ({ value: body(), gradFunc: () => [] }))();
}
