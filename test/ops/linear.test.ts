import * as tf from '@tensorflow/tfjs';
import { linear } from '../../src/ops/linear.js';
import { describeBackends } from '../support/backends.js';
import { checkDirectional, randomTensor } from '../support/check_directional.js';
import { expectClose } from '../support/expect_close.js';
import { expectNoLeaks } from '../support/expect_no_leaks.js';

describeBackends('linear', () => {
  const x = () =>
    tf.tensor([
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    ]); // [1, 3, 2]
  const kernel = () =>
    tf.tensor([
      [1, 0, 2],
      [0, 1, 3],
    ]); // [2, 3]
  const bias = () => tf.tensor([10, 20, 30]);

  test('multiplies the last axis and adds the bias', () => {
    expectClose(linear(x(), kernel(), bias()), [
      [
        [11, 22, 38],
        [13, 24, 48],
        [15, 26, 58],
      ],
    ]);
    expectClose(linear(x(), kernel()), [
      [
        [1, 2, 8],
        [3, 4, 18],
        [5, 6, 28],
      ],
    ]);
    expectClose(linear(tf.tensor([1, 2]), kernel(), null), [1, 2, 8]);
  });

  test('gradients known on paper', () => {
    const dy = tf.tensor([
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    ]);
    const [dx, dW, db] = tf.grads((x: tf.Tensor, w: tf.Tensor, b: tf.Tensor) => linear(x, w, b))(
      [x(), kernel(), bias()],
      dy,
    );
    expectClose(dx, [
      [
        [1, 0],
        [0, 1],
        [2, 3],
      ],
    ]); // dy·Wᵀ: row i is column i of W
    expectClose(dW, [
      [1, 3, 5],
      [2, 4, 6],
    ]); // xᵀ
    expectClose(db, [1, 1, 1]);
  });

  test.each([[[7]], [[5, 7]], [[2, 5, 7]], [[2, 3, 5, 7]]])('gradients for x %j', (shape) => {
    const inputs = [randomTensor(shape, 1), randomTensor([7, 11], 2), randomTensor([11], 3)];
    checkDirectional((x, w, b) => linear(x, w, b), inputs);
    checkDirectional((x, w) => linear(x, w), inputs.slice(0, 2));
  });

  test('takes a bias that was reshaped', () => {
    const bias = tf.reshape(tf.tensor([[10], [20], [30]]), [3]);
    expectClose(linear(tf.tensor([1, 2]), kernel(), bias), [11, 22, 38]);
  });

  test('trains variables', () => {
    const w = tf.variable(kernel());
    const { grads } = tf.variableGrads(() => tf.sum<tf.Scalar>(linear(x(), w)), [w]);
    expectClose(grads[w.name], [
      [9, 9, 9],
      [12, 12, 12],
    ]);
    w.dispose();
  });

  test('leaves no tensors behind', () => {
    expectNoLeaks((x, w, b) => linear(x, w, b), [x(), kernel(), bias()]);
    expectNoLeaks((x, w) => linear(x, w), [x(), kernel()]);
  });

  test('bad input is refused', () => {
    expect(() => linear(x(), tf.ones([3, 2]))).toThrow(
      'linear: kernel must have shape [D,E] with D=2, the last axis of x [1,3,2], got shape=[3,2].',
    );
    expect(() => linear(x(), kernel(), tf.ones([2]))).toThrow(
      'linear: bias must have shape [E]=[3], got shape=[2].',
    );
    expect(() => linear(tf.ones([2, 2], 'int32'), kernel())).toThrow(
      "linear: x must be float32, got dtype=int32. Cast it with tf.cast(x, 'float32').",
    );
    expect(() => linear(tf.scalar(1), kernel())).toThrow(
      'linear: x must have at least 1 axis, got shape=[].',
    );
    expect(() => linear([[1, 2]] as never, kernel())).toThrow(
      'linear: x must be a tensor, got x=[[1,2]]. Wrap arrays in tf.tensor(…); inside tf.model use a layer.',
    );
    expect(() => linear(tf.input({ shape: [2] }) as never, kernel())).toThrow(
      'linear: x must be a tensor',
    );
  });
});
