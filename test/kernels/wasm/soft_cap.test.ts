import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { forcePath } from '../../../src/ops/dispatch.js';
import { softCap } from '../../../src/ops/soft_cap.js';
import { describeKernels } from '../../support/backends.js';
import { randomTensor } from '../../support/check_directional.js';
import { expectClose } from '../../support/expect_close.js';
import { expectKernelLikeReference } from '../../support/kernel_and_reference.js';

describeKernels('soft cap kernel', () => {
  test.each([[[]], [[0]], [[1]], [[2]], [[3]], [[5, 7]], [[257]], [[2, 3, 5, 7]]])(
    'like the reference, shape %j',
    (shape) => {
      const x = randomTensor(shape as number[], 3, 4);
      for (const cap of [0.1, 1, 30, 1e4]) expectKernelLikeReference((x) => softCap(x, cap), [x]);
    },
  );

  test('like the reference at any number', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 9 }),
        fc.constantFrom(0.5, 3, 50),
        (values, cap) =>
          tf.tidy(() => expectKernelLikeReference((x) => softCap(x, cap), [tf.tensor(values)])),
      ),
      { numRuns: 200, seed: 3 },
    );
  });

  test('±cap at ±∞, slope 0; NaN stays NaN, each in its lane', () => {
    const x = tf.tensor([NaN, 0, -Infinity, Infinity, 0]);
    forcePath('kernel', () => {
      expectClose(softCap(x, 3), [NaN, 0, -3, 3, 0]);
      expectClose(tf.grad((x: tf.Tensor) => softCap(x, 3))(x), [NaN, 1, 0, 0, 1]);
    });
  });
});
