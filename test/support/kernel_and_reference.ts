/** A kernel held against the reference of its operation: values, gradients, repetition, leaks. */
import * as tf from '@tensorflow/tfjs';
import { forcePath, type Path } from '../../src/ops/dispatch.js';
import { expectClose, expectIdentical, type Tolerance } from './expect_close.js';

/**
 * Asserts that an operation gives the same by its kernel as by its reference: the value, and the gradient of every
 * input for a random gradient of the output; that the kernel repeats bit for bit; and that it leaves nothing behind.
 *
 * @param operation The operation; inputs that take no gradient (integers, masks) belong in its closure.
 * @param inputs float32 tensors that gradients flow into.
 * @param tolerance How close the two have to be, or a function that says so for each expected tensor (the value, the
 * gradients); 1e-5 and 1e-5 by default.
 * @param onSide Runs a function on one of the two sides; by default, with operations forced to it.
 */
export function expectKernelLikeReference(
  operation: (...inputs: tf.Tensor[]) => tf.Tensor,
  inputs: tf.Tensor[],
  tolerance: Tolerance | ((expected: tf.Tensor) => Tolerance) = {},
  onSide: (side: Path, body: () => tf.Tensor[]) => tf.Tensor[] = forcePath,
): void {
  let dy: tf.Tensor | undefined;
  const valueAndGradients = (side: Path): tf.Tensor[] =>
    onSide(side, () =>
      tf.tidy(() => {
        const value = operation(...inputs);
        if (inputs.length === 0) return [value];
        dy ??= tf.keep(tf.randomUniform(value.shape, -1, 1, 'float32', 11));
        return [value, ...tf.grads(operation)(inputs, dy)];
      }),
    );
  const expected = valueAndGradients('reference');
  const before = tf.memory();
  const actual = valueAndGradients('kernel');
  const again = valueAndGradients('kernel');
  expected.forEach((tensor, i) => {
    expectClose(actual[i], tensor, typeof tolerance === 'function' ? tolerance(tensor) : tolerance);
    expectIdentical(again[i], actual[i]);
  });
  tf.dispose([actual, again]);
  const { numTensors, numBytes } = tf.memory();
  expect({ numTensors, numBytes }).toEqual({
    numTensors: before.numTensors,
    numBytes: before.numBytes,
  });
  tf.dispose(expected);
  dy?.dispose();
}
