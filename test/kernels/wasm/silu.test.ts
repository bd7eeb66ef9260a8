import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { forcePath } from '../../../src/ops/dispatch.js';
import { silu } from '../../../src/ops/silu.js';
import { describeKernels } from '../../support/backends.js';
import { randomTensor } from '../../support/check_directional.js';
import { expectClose } from '../../support/expect_close.js';
import { expectKernelLikeReference } from '../../support/kernel_and_reference.js';

const operation = (x: tf.Tensor): tf.Tensor => silu(x);

describeKernels('silu kernel', () => {
  test.each([[[]], [[0]], [[1]], [[2]], [[3]], [[5, 7]], [[257]], [[2, 3, 5, 7]]])(
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
