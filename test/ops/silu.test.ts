import * as tf from '@tensorflow/tfjs';
import { silu } from '../../src/ops/silu.js';
import { describeBackends } from '../support/backends.js';
import { checkDirectional, randomTensor } from '../support/check_directional.js';
import { expectClose } from '../support/expect_close.js';
import { expectNoLeaks } from '../support/expect_no_leaks.js';
import { precision } from '../support/precision.js';

describeBackends('silu', () => {
  test('values known on paper', () => {
    // sigmoid(ln k) = k/(k + 1)
    const x = [Math.log(3), -Math.log(3), 0, Math.log(9)];
    expectClose(silu(tf.tensor(x)), [x[0] * 0.75, x[1] * 0.25, 0, x[3] * 0.9], { atol: 1e-6 });
    expectClose(tf.grad((x: tf.Tensor) => silu(x))(tf.tensor([0])), [0.5]);
  });

  test('far out the value is 0 or x, the slope 0 or 1, and NaN stays NaN', () => {
    const { largest, infinities } = precision();
    const x = tf.tensor([-largest, -1e4, -120, 120, 1e4, largest, ...infinities]);
    const outside = infinities.map((end) => Math.max(0, end));
    expectClose(tf.abs(silu(x)), [0, 0, 0, 120, 1e4, largest, ...outside]);
    const slopes = tf.grad((x: tf.Tensor) => silu(x))(x);
    expectClose(tf.abs(slopes), [0, 0, 0, 1, 1, 1, ...outside.map(Math.sign)]);
    expectClose(silu(tf.tensor([NaN])), [NaN]);
    expectClose(tf.grad((x: tf.Tensor) => silu(x))(tf.tensor([NaN])), [NaN]);
  });

  test('gradient', () => checkDirectional((x) => silu(x), [randomTensor([5, 7, 11], 2, 2)]));
  test('leaves no tensors behind', () => expectNoLeaks((x) => silu(x), [randomTensor([5], 1)]));
  test('bad input is refused', () => {
    expect(() => silu(1 as never)).toThrow('silu: x must be a tensor, got x=1.');
  });
});
