import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { forcePath } from '../../../src/ops/dispatch.js';
import { gelu } from '../../../src/ops/gelu.js';
import { describeKernels } from '../../support/backends.js';
import { randomTensor } from '../../support/check_directional.js';
import { expectClose } from '../../support/expect_close.js';
import { expectKernelLikeReference } from '../../support/kernel_and_reference.js';

describeKernels('gelu kernel', () => {
  describe.each([false, true])('approximate %s', (approximate) => {
    const operation = (x: tf.Tensor): tf.Tensor => gelu(x, { approximate });

    test.each([[[]], [[0]], [[1]], [[2]], [[3]], [[5, 7]], [[3, 0, 2]], [[257]], [[2, 3, 5, 7]]])(
      'like the reference, shape %j',
      (shape) => {
        expectKernelLikeReference(operation, [randomTensor(shape as number[], 3, 4)]);
      },
    );

    test('like the reference at any number', () => {
      fc.assert(
        fc.property(fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 9 }), (values) =>
          tf.tidy(() => expectKernelLikeReference(operation, [tf.tensor(values)])),
        ),
        { numRuns: 200, seed: 3 },
      );
    });

    test('like the reference at infinities and NaN, each in its lane', () => {
      const x = tf.tensor([NaN, 1, -Infinity, Infinity, 2, NaN, -0]);
      const run = (path: 'kernel' | 'reference'): [tf.Tensor, tf.Tensor] =>
        forcePath(path, () => [operation(x), tf.grad(operation)(x)]);
      run('kernel').forEach((tensor, i) => expectClose(tensor, run('reference')[i]));
    });
  });

  test('the exact form keeps its digits in the left tail, where 1 + erf has none', () => {
    // x·erfc(−x/√2)/2 in double precision (Python, math.erfc).
    const x = [-4, -6, -8, -10, -12];
    const expected = [
      -0.00012668496733247986, -5.919525870226207e-9, -4.9767684594174555e-15,
      -7.619853024160593e-23, -2.1317785344932424e-32,
    ];
    const y = forcePath('kernel', () => gelu(tf.tensor(x)));
    // The argument of the exponential is rounded: x²/2·2⁻²⁴ is 4e-6 at −12.
    expectClose(y, expected, { atol: 0, rtol: 5e-6 });
  });
});
