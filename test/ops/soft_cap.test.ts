import * as tf from '@tensorflow/tfjs';
import { softCap } from '../../src/ops/soft_cap.js';
import { describeBackends } from '../support/backends.js';
import { checkDirectional, randomTensor } from '../support/check_directional.js';
import { expectClose } from '../support/expect_close.js';
import { expectNoLeaks } from '../support/expect_no_leaks.js';
import { precision } from '../support/precision.js';

describeBackends('softCap', () => {
  test('values known on paper: tanh(ln 3) = 0.8', () => {
    const x = 5 * Math.log(3);
    const { largest, infinities } = precision();
    const ends = infinities.map((end) => 5 * Math.sign(end));
    expectClose(softCap(tf.tensor([x, -x, 0, largest, ...infinities]), 5), [4, -4, 0, 5, ...ends]);
    const slopes = tf.grad((x: tf.Tensor) => softCap(x, 5))(tf.tensor([x, 0, -largest]));
    expectClose(slopes, [0.36, 1, 0]);
  });
  test('gradient', () => checkDirectional((x) => softCap(x, 3), [randomTensor([5, 7], 1, 3)]));
  test('leaves no tensors behind', () =>
    expectNoLeaks((x) => softCap(x, 3), [randomTensor([5], 1)]));
  test('bad input is refused', () => {
    for (const cap of [0, -1, NaN, Infinity]) {
      expect(() => softCap(tf.ones([1]), cap)).toThrow(
        `softCap: cap must be a positive number, got cap=${cap}.`,
      );
    }
  });
});
