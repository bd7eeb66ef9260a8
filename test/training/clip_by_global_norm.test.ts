import * as tf from '@tensorflow/tfjs';
import { clipByGlobalNorm } from '../../src/training/clip_by_global_norm.js';
import { describeBackends } from '../support/backends.js';
import { expectClose } from '../support/expect_close.js';

describeBackends('clipByGlobalNorm', () => {
  test('scales all gradients together to the bound', () => {
    const before = tf.memory().numTensors;
    const given = { a: tf.tensor2d([[3, 0]]), b: tf.tensor1d([0, 4]) };
    const { gradients, norm } = clipByGlobalNorm(given, 2);
    const scale = 2 / (5 + 1e-6);
    expectClose(norm, tf.scalar(5));
    expectClose(gradients.a, [[3 * scale, 0]]);
    expectClose(gradients.b, [0, 4 * scale]);
    tf.dispose([given, gradients, norm]);
    expect(tf.memory().numTensors).toBeLessThanOrEqual(before + 1); // the expected scalar
  });

  test('leaves small gradients as they are, and takes a list', () => {
    const { gradients, norm } = clipByGlobalNorm([tf.tensor1d([0.3, 0.4]), tf.scalar(0)], 1);
    expectClose(norm, tf.scalar(0.5));
    expectClose(gradients[0], [0.3, 0.4], { atol: 0, rtol: 1e-7 });
    expectClose(gradients[1], tf.scalar(0));
  });
});

test('a bound that is not positive, and no gradients, are refused', () => {
  expect(() => clipByGlobalNorm([tf.scalar(1)], 0)).toThrow(
    'clipByGlobalNorm: maxNorm must be a finite number',
  );
  expect(() => clipByGlobalNorm({}, 1)).toThrow('clipByGlobalNorm: gradients must not be empty.');
});
