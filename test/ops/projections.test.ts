import * as tf from '@tensorflow/tfjs';
import { linear } from '../../src/ops/linear.js';
import { projections } from '../../src/ops/projections.js';
import { describeBackends } from '../support/backends.js';
import { checkDirectional, randomTensor } from '../support/check_directional.js';
import { expectClose } from '../support/expect_close.js';
import { expectNoLeaks } from '../support/expect_no_leaks.js';

describeBackends('projections', () => {
  const x = (): tf.Tensor => randomTensor([2, 3, 5], 1);
  const weights = (): tf.Tensor[] => [
    randomTensor([5, 7], 2),
    randomTensor([7], 3),
    randomTensor([5, 2, 3], 4),
    randomTensor([2, 3], 5),
  ];
  /** Two maps of different widths, the second into two axes; their outputs in one tensor. */
  const both = (
    x: tf.Tensor,
    w: tf.Tensor,
    b: tf.Tensor,
    v: tf.Tensor,
    c: tf.Tensor,
  ): tf.Tensor => {
    return tf.tidy(() => {
      const [y, z] = projections(x, [{ kernel: w, bias: b }, { kernel: v, bias: c }]); // prettier-ignore
      return tf.concat([y, tf.reshape(z, [2, 3, 6])], -1);
    });
  };

  test('each output is that of linear', () => {
    const [w, b, v] = weights();
    const [y, z] = projections(x(), [{ kernel: w, bias: b }, { kernel: v }]);
    expect([y.shape, z.shape]).toEqual([
      [2, 3, 7],
      [2, 3, 2, 3],
    ]);
    expectClose(y, linear(x(), w, b));
    expectClose(z, linear(x(), v));
  });

  test('known on paper', () => {
    const [y, z] = projections(tf.tensor([[1, 2]]), [
      { kernel: tf.tensor([[1], [10]]) },
      { kernel: tf.tensor([[1, 0], [0, 1]]), bias: tf.tensor([5, 7]) }, // prettier-ignore
    ]);
    expectClose(y, [[21]]);
    expectClose(z, [[6, 9]]);
  });

  test('gradients', () => {
    checkDirectional(both as never, [x(), ...weights()]);
  });

  test('a gradient of one output only, and of one map', () => {
    const [w, , v] = weights();
    const dy = tf.ones([2, 3, 2, 3]);
    const second = (x: tf.Tensor, v: tf.Tensor): tf.Tensor =>
      projections(x, [{ kernel: w }, { kernel: v }])[1];
    const [dx, dv] = tf.grads(second)([x(), v], dy);
    const [expectedX, expectedV] = tf.grads((x: tf.Tensor, v: tf.Tensor) => linear(x, v))(
      [x(), v],
      dy,
    );
    expectClose(dx, expectedX);
    expectClose(dv, expectedV);
    checkDirectional((x, w) => projections(x, [{ kernel: w }])[0], [x(), w]);
  });

  test('leaves no tensors behind', () => {
    expectNoLeaks(both as never, [x(), ...weights()]);
  });

  test('bad input is refused', () => {
    expect(() => projections(x(), [])).toThrow('projections: maps must not be empty.');
    expect(() =>
      projections(x(), [{ kernel: tf.ones([5, 2]) }, { kernel: tf.ones([2, 5]) }]),
    ).toThrow(
      'projections: kernel of map 1 must have shape [D,E] with D=5, the last axis of x [2,3,5], got shape=[2,5].',
    );
    expect(() => projections(x(), [{ kernel: tf.ones([5, 2]), bias: tf.ones([3]) }])).toThrow(
      'projections: bias of map 0 must have shape [E]=[2], got shape=[3].',
    );
  });
});
