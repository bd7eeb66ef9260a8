import * as tf from '@tensorflow/tfjs';
import { handle } from '../../src/util/handle.js';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { expectClose } from '../support/expect_close.js';

describeBackends('handle', () => {
  test('shares the data, which live as long as either', () => {
    const x = tf.tensor([1, 2, 3, 5]);
    const buffers = tf.memory().numDataBuffers;
    const second = handle(x);
    expect(second.dataId).toBe(x.dataId);
    expect(tf.memory().numDataBuffers).toBe(buffers);
    x.dispose();
    expectClose(second, [1, 2, 3, 5]);
    second.dispose();
    expect(tf.memory().numDataBuffers).toBe(buffers - 1);
  });

  test('takes another shape of the same size', () => {
    expectClose(handle(tf.tensor([1, 2, 3, 5]), [2, 2]), [
      [1, 2],
      [3, 5],
    ]);
  });

  test('a tidy frees it, the data stay', () => {
    const x = tf.tensor([7, 11]);
    expectNoLeak(() => tf.tidy(() => void handle(x)) as never);
    expectClose(x, [7, 11]);
  });

  test('keeps what a variable held before it was assigned to', () => {
    const variable = tf.variable(tf.tensor([1, 2]));
    const before = handle<tf.Tensor>(variable);
    variable.assign(tf.tensor([3, 5]));
    expectClose(before, [1, 2]);
    expectClose(variable, [3, 5]);
    before.dispose();
    variable.dispose();
  });

  test('is not on the tape', () => {
    const gradient = tf.grad((x: tf.Tensor) => {
      handle(x);
      return tf.mul(x, 3);
    });
    expectClose(gradient(tf.tensor([1, 2])), [3, 3]);
  });
});
