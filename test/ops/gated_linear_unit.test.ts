import * as tf from '@tensorflow/tfjs';
import { gatedLinearUnit } from '../../src/ops/gated_linear_unit.js';
import { describeBackends } from '../support/backends.js';
import { checkDirectional, randomTensor } from '../support/check_directional.js';
import { expectClose } from '../support/expect_close.js';
import { expectNoLeaks } from '../support/expect_no_leaks.js';

describeBackends('gatedLinearUnit', () => {
  const ln3 = Math.log(3);
  const gate = () => tf.tensor([[-ln3, ln3]]);
  const up = () => tf.tensor([[4, 8]]);

  test.each([
    [undefined, [-ln3, 6 * ln3]],
    ['silu', [-ln3, 6 * ln3]],
    ['sigmoid', [1, 6]],
    ['relu', [0, 8 * ln3]],
  ] as const)('activation %s', (activation, expected) => {
    expectClose(gatedLinearUnit(gate(), up(), { activation }), [[...expected]]);
  });

  test('gelu and geluTanh', () => {
    // gelu(1) = 0.84134475 exactly, 0.84119199 in the tanh form
    const one = tf.ones([1]);
    expectClose(gatedLinearUnit(one, tf.tensor([2]), { activation: 'gelu' }), [1.6826895], {
      atol: 1e-6,
      rtol: 0,
    });
    expectClose(gatedLinearUnit(one, tf.tensor([2]), { activation: 'geluTanh' }), [1.682384], {
      atol: 1e-6,
      rtol: 0,
    });
  });

  test.each(['silu', 'gelu', 'geluTanh', 'sigmoid'] as const)('gradients with %s', (activation) => {
    const inputs = [randomTensor([3, 5, 7], 1), randomTensor([3, 5, 7], 2)];
    checkDirectional((g, u) => gatedLinearUnit(g, u, { activation }), inputs);
    expectNoLeaks((g, u) => gatedLinearUnit(g, u, { activation }), inputs);
  });

  test('bad input is refused', () => {
    expect(() => gatedLinearUnit(tf.ones([2, 3]), tf.ones([3]))).toThrow(
      'gatedLinearUnit: gate and up must have one shape, got gate=[2,3], up=[3].',
    );
    expect(() => gatedLinearUnit(gate(), up(), { activation: 'glu' as never })).toThrow(
      'gatedLinearUnit: activation must be one of relu, gelu,',
    );
    expect(() => gatedLinearUnit(gate(), up(), { act: 'silu' } as never)).toThrow(
      "unknown option 'act'",
    );
  });
});
