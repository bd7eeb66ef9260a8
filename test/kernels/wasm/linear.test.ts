import * as tf from '@tensorflow/tfjs';
import { linear } from '../../../src/ops/linear.js';
import { describeKernels } from '../../support/backends.js';
import { randomTensor } from '../../support/check_directional.js';
import { expectClose } from '../../support/expect_close.js';
import { expectKernelLikeReference } from '../../support/kernel_and_reference.js';

describeKernels('linear kernel', () => {
  test.each([
    [[7], 5],
    [[1, 1], 1],
    [[5, 7], 11],
    [[2, 5, 7], 1],
    [[2, 3, 5, 16], 8],
    [[13, 129], 65],
    [[70, 300], 17],
    [[1, 64], 131],
    [[2, 67], 33],
    [[257, 3], 2],
  ])('x %j, %i columns: value and gradients', (shape, E) => {
    const D = shape[shape.length - 1];
    const inputs = [randomTensor(shape, 1), randomTensor([D, E], 2), randomTensor([E], 3)];
    const tolerance = { atol: 3e-5, rtol: 1e-5 }; // sums of up to 300 terms in another order
    expectKernelLikeReference((x, w, b) => linear(x, w, b), inputs, tolerance);
    expectKernelLikeReference((x, w) => linear(x, w), inputs.slice(0, 2), tolerance);
    tf.dispose(inputs);
  });

  test('no rows, no columns, no terms', () => {
    for (const [rows, D, E] of [
      [0, 3, 5],
      [2, 3, 0],
      [2, 0, 5],
    ]) {
      const inputs = [tf.ones([rows, D]), tf.ones([D, E]), tf.ones([E])];
      const [dx, dW, db] = tf.grads((x: tf.Tensor, w: tf.Tensor, b: tf.Tensor) => linear(x, w, b))(
        inputs,
        tf.ones([rows, E]),
      );
      expectClose(linear(inputs[0], inputs[1], inputs[2]), {
        shape: [rows, E],
        values: new Float32Array(rows * E).fill(D + 1),
      });
      expectClose(dx, { shape: [rows, D], values: new Float32Array(rows * D).fill(E) });
      expectClose(dW, { shape: [D, E], values: new Float32Array(D * E).fill(rows) });
      expectClose(db, { shape: [E], values: new Float32Array(E).fill(rows) });
    }
  });

  test('the gradient of the bias stays exact over many rows', () => {
    // Adding 0.1 so often one by one gives 9998.56 in float32.
    const x = tf.zeros([100_000, 1]);
    const [db] = tf.grads((b: tf.Tensor) => linear(x, tf.zeros([1, 1]), b))(
      [tf.zeros([1])],
      tf.fill([100_000, 1], 0.1),
    );
    expectClose(db, [10_000], { atol: 0, rtol: 1e-5 });
  });
});
