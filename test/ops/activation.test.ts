import * as tf from '@tensorflow/tfjs';
import { activation, activationNames, type ActivationName } from '../../src/ops/activation.js';
import { gelu } from '../../src/ops/gelu.js';
import { describeBackends } from '../support/backends.js';
import { checkDirectional } from '../support/check_directional.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';
import { expectNoLeaks } from '../support/expect_no_leaks.js';

describeBackends('activation', () => {
  const ln3 = Math.log(3);

  test.each<[ActivationName, number[]]>([
    ['relu', [0, 0, ln3]],
    ['sigmoid', [0.25, 0.5, 0.75]],
    ['tanh', [-0.8, 0, 0.8]], // (3 − 1/3)/(3 + 1/3)
    ['linear', [-ln3, 0, ln3]],
    ['silu', [-0.25 * ln3, 0, 0.75 * ln3]],
    ['swish', [-0.25 * ln3, 0, 0.75 * ln3]],
  ])('%s has its values', (name, expected) => {
    expectClose(activation(tf.tensor([-ln3, 0, ln3]), name), expected);
  });

  test('the names of both forms of gelu', () => {
    const x = tf.tensor([-2, -1, 1, 2]);
    expectIdentical(activation(x, 'gelu'), gelu(x));
    const names = activationNames.filter((name) => /gelu./.test(name));
    expect(names).toHaveLength(7);
    for (const name of names) expectIdentical(activation(x, name), gelu(x, { approximate: true }));
  });

  test.each(activationNames.map((name) => [name]))(
    '%s: gradient, and no tensor left behind',
    (name) => {
      const x = tf.tensor([-2.1, -0.7, 0.3, 1.9]); // away from the corner of relu
      checkDirectional((x) => activation(x, name), [x]);
      expectNoLeaks((x) => activation(x, name), [x]);
    },
  );

  test('an unknown name is refused with the names there are', () => {
    for (const name of ['gleu', 'toString', undefined, 3]) {
      expect(() => activation(tf.ones([1]), name as never)).toThrow(
        /^activation: activation must be one of relu, gelu, geluTanh, silu, sigmoid, tanh, linear, gelu_approximate, .*, swish, got activation=/,
      );
    }
  });
});
