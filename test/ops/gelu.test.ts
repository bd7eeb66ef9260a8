import * as tf from '@tensorflow/tfjs';
import { gelu } from '../../src/ops/gelu.js';
import { describeBackends } from '../support/backends.js';
import { checkDirectional, randomTensor } from '../support/check_directional.js';
import { expectClose } from '../support/expect_close.js';
import { expectNoLeaks } from '../support/expect_no_leaks.js';
import { precision } from '../support/precision.js';

// x·(1 + erf(x/√2))/2 and x·(1 + tanh(√(2/π)(x + 0.044715x³)))/2 in double precision (Python, math.erf, math.tanh).
const X = [-3, -2, -1, -0.5, 0, 0.5, 1, 2, 3];
const EXACT = [
  -0.0040496940948903, -0.045500263896358, -0.15865525393146, -0.15426876936299, 0,
  0.34573123063701, 0.84134474606854, 1.9544997361036, 2.9959503059051,
];
const TANH = [
  -0.003637392081773, -0.045402305912225, -0.15880800939172, -0.15428599017486, 0, 0.34571400982514,
  0.84119199060828, 1.9545976940878, 2.9963626079182,
];

describeBackends('gelu', () => {
  test('has the values of both forms', () => {
    const x = tf.tensor(X);
    expectClose(gelu(x), EXACT, { atol: 1e-6 });
    expectClose(gelu(x, { approximate: 'none' }), EXACT, { atol: 1e-6 });
    expectClose(gelu(x, { approximate: true }), TANH, { atol: 1e-6 });
    expectClose(gelu(x, { approximate: 'tanh' }), TANH, { atol: 1e-6 });
  });

  test('gelu(x) − gelu(−x) = x', () => {
    const x = randomTensor([97], 1, 3);
    for (const approximate of [false, true]) {
      const odd = tf.sub(gelu(x, { approximate }), gelu(tf.neg(x), { approximate }));
      expectClose(odd, x, { atol: 3e-6 });
    }
  });

  test.each([false, true])(
    'far out the value is 0 or x, the slope 0 or 1 (approximate %s)',
    (approximate) => {
      const { largest, infinities } = precision();
      const x = tf.tensor([-largest, -1e4, -100, -25, 25, 100, 1e4, largest, ...infinities]);
      const f = (x: tf.Tensor) => gelu(x, { approximate });
      const outside = infinities.map((end) => Math.max(0, end));
      expectClose(tf.abs(f(x)), [0, 0, 0, 0, 25, 100, 1e4, largest, ...outside]);
      expectClose(tf.abs(tf.grad(f)(x)), [0, 0, 0, 0, 1, 1, 1, 1, ...outside.map(Math.sign)]);
    },
  );

  test.each([false, true])('NaN stays NaN (approximate %s)', (approximate) => {
    const f = (x: tf.Tensor) => gelu(x, { approximate });
    expectClose(f(tf.tensor([NaN, 0])), [NaN, 0]);
    expectClose(tf.grad(f)(tf.tensor([NaN, 0])), [NaN, 0.5]);
  });

  test.each([false, true])('gradient (approximate %s)', (approximate) => {
    checkDirectional((x) => gelu(x, { approximate }), [randomTensor([5, 7, 11], 2, 2)]);
  });

  test('leaves no tensors behind', () => {
    expectNoLeaks((x) => gelu(x), [randomTensor([5], 1)]);
    expectNoLeaks((x) => gelu(x, { approximate: true }), [randomTensor([5], 1)]);
  });

  test('bad input is refused', () => {
    expect(() => gelu(tf.ones([2]), { approximate: 'fast' as never })).toThrow(
      "gelu: approximate must be true, false, 'tanh' or 'none', got approximate='fast'.",
    );
    expect(() => gelu(tf.ones([2]), { tanh: true } as never)).toThrow(
      "gelu: unknown option 'tanh'.",
    );
    expect(() => gelu(tf.ones([2], 'bool'))).toThrow('gelu: x must be float32, got dtype=bool.');
  });
});
