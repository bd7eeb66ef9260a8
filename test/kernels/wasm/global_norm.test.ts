import * as tf from '@tensorflow/tfjs';
import { forcePath } from '../../../src/ops/dispatch.js';
import { globalNorm } from '../../../src/ops/global_norm.js';
import { describeKernels } from '../../support/backends.js';
import { randomTensor } from '../../support/check_directional.js';
import { expectClose } from '../../support/expect_close.js';
import { expectKernelLikeReference } from '../../support/kernel_and_reference.js';

describeKernels('global norm kernel', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  test.each([1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 1023, 1024, 1025, 5000])('%i numbers', (n) => {
    const inputs = [randomTensor([n], 1), randomTensor([2, 3], 2), tf.scalar(0.3)];
    expectKernelLikeReference((...x) => globalNorm(x), inputs);
  });

  test('of a million numbers, as in float64', () => {
    const x = tf.add(randomTensor([1000003], 3), 1);
    const square = x.dataSync<'float32'>().reduce((sum, value) => sum + value * value, 0);
    const norm = forcePath('kernel', () => globalNorm([x, x]));
    expectClose(norm, tf.scalar(Math.sqrt(2 * square)), { atol: 0, rtol: 1e-6 });
  });

  test('nothing, NaN, Infinity', () => {
    forcePath('kernel', () => {
      expectClose(globalNorm([tf.zeros([0]), tf.zeros([3])]), tf.scalar(0));
      expectClose(globalNorm([tf.tensor1d([1, NaN])]), tf.scalar(NaN));
      expectClose(globalNorm([tf.tensor1d([1, -Infinity])]), tf.scalar(Infinity));
    });
  });
});
