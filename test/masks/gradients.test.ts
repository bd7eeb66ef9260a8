/** Masks made from tensors that are being differentiated are constants, and break no backward pass. */
import * as tf from '@tensorflow/tfjs';
import * as masks from '../../src/masks/index.js';
import { stopGradient } from '../../src/util/stop_gradient.js';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { expectIdentical } from '../support/expect_close.js';
import { precision } from '../support/precision.js';

describeBackends('masks under gradients', () => {
  const makers: [string, (x: tf.Tensor2D) => tf.Tensor][] = [
    ['padding', (x) => masks.padding(x)],
    ['segments', (x) => masks.segments(x)],
    ['prefix', (x) => masks.prefix(tf.reshape<tf.Rank.R1>(x, [-1]), 3)],
    ['and, or of comparisons', (x) => masks.and(tf.greater(x, 0), masks.or(x, tf.less(x, 2)))],
    ['toBool', (x) => masks.toBool(x)],
    ['toBias', (x) => masks.toBias(x)],
  ];

  test.each(makers)('where(%s(x), …) of a taped x', (_, make) => {
    const x = tf.tensor2d([[1, 0, 2]]);
    const f = (t: tf.Tensor) =>
      tf.tidy(() =>
        tf.sum(tf.where(masks.toBool(make(t as tf.Tensor2D)), tf.mul(t, t), tf.mul(3, t))),
      );
    const { value, grad } = tf.valueAndGrad(f)(x);
    expect(grad.shape).toEqual([1, 3]);
    expect(Array.from(grad.dataSync()).every(Number.isFinite)).toBe(true);
    expectNoLeak(() => tf.grad(f)(x));
    tf.dispose([x, value, grad]);
  });

  test('the gradient is that of the constant mask', () => {
    tf.tidy(() => {
      const x = tf.tensor2d([[1, 0, 2]]);
      const f = (t: tf.Tensor) =>
        tf.sum(tf.where(tf.reshape(masks.padding(t), [1, 3]), tf.mul(t, t), tf.mul(3, t)));
      expectIdentical(tf.grad(f)(x), [[2, 3, 4]]);
      const biased = (t: tf.Tensor) => tf.sum(tf.mul(t, masks.toBias(t)));
      expectIdentical(tf.grad(biased)(x), [[0, precision().largeNegative, 0]]);
    });
  });

  test('this is needed: LogicalAnd of a taped tensor has no gradient', () => {
    tf.tidy(() => {
      const f = (t: tf.Tensor) =>
        tf.sum(tf.mul(t, tf.cast(tf.logicalAnd(tf.cast(t, 'bool'), [true, true]), 'float32')));
      expect(() => tf.grad(f)(tf.tensor1d([1, 2]))).toThrow(
        /gradient function not found for LogicalAnd/,
      );
    });
  });

  test('stopGradient: a factor whose history is cut', () => {
    const x = tf.tensor1d([2, 3]);
    const f = (t: tf.Tensor) =>
      tf.sum(
        tf.mul(
          t,
          stopGradient(() => tf.square(t)),
        ),
      );
    tf.tidy(() => expectIdentical(tf.grad(f)(x), [4, 9]));
    expectNoLeak(() => tf.grad(f)(x));
    expectNoLeak(() => stopGradient(() => tf.square(tf.add(x, 1))));
    x.dispose();
  });
});
