import * as tf from '@tensorflow/tfjs';
import { residual } from '../../src/ops/residual.js';
import { describeBackends } from '../support/backends.js';
import { checkDirectional, randomTensor } from '../support/check_directional.js';
import { expectClose } from '../support/expect_close.js';
import { expectNoLeaks } from '../support/expect_no_leaks.js';

describeBackends('residual', () => {
  test('adds', () => {
    expectClose(residual(tf.tensor([[1, 2, 3]]), tf.tensor([[10, 20, 30]])), [[11, 22, 33]]);
  });

  test('both gradients are that of the sum', () => {
    const [dx, dAdded] = tf.grads((x: tf.Tensor, added: tf.Tensor) => residual(x, added))(
      [tf.ones([3]), tf.ones([3])],
      tf.tensor([2, 3, 5]),
    );
    expectClose(dx, [2, 3, 5]);
    expectClose(dAdded, [2, 3, 5]);
  });

  test('adds a tensor to itself', () => {
    const gradient = tf.grad((x: tf.Tensor) => residual(x, x));
    expectClose(gradient(tf.tensor([1, 2])), [2, 2]);
  });

  test.each([[[]], [[1]], [[5]], [[2, 3, 7]], [[0, 3]]])('gradients for %j', (shape) => {
    checkDirectional((x, y) => residual(x, y), [randomTensor(shape, 1), randomTensor(shape, 2)]);
  });

  test('leaves no tensors behind', () => {
    expectNoLeaks((x, y) => residual(x, y), [tf.ones([2, 3]), tf.ones([2, 3])]);
  });

  test('bad input is refused', () => {
    expect(() => residual(tf.ones([2, 3]), tf.ones([3]))).toThrow(
      'residual: x and added must have one shape, got x=[2,3], added=[3].',
    );
    expect(() => residual(tf.ones([2], 'int32'), tf.ones([2]))).toThrow(
      'residual: x must be float32',
    );
  });
});
