import * as tf from '@tensorflow/tfjs';
import { forcePath } from '../../../src/ops/dispatch.js';
import { rmsNorm } from '../../../src/ops/rms_norm.js';
import { describeKernels } from '../../support/backends.js';
import { randomTensor } from '../../support/check_directional.js';
import { expectClose, expectIdentical } from '../../support/expect_close.js';
import { expectKernelLikeReference } from '../../support/kernel_and_reference.js';

describeKernels('RMS norm kernel', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  test.each([1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 64, 67, 131])('rows of %i', (size) => {
    const [x, scale] = [randomTensor([5, size], 1), randomTensor([size], 2)];
    expectKernelLikeReference((x, s) => rmsNorm(x, s), [x, scale]);
    expectKernelLikeReference((x) => rmsNorm(x, null, { epsilon: 0.3 }), [x]);
  });

  test.each([1, 63, 64, 65, 129])('%i rows', (rows) => {
    const [x, scale] = [randomTensor([rows, 19], 1), randomTensor([19], 2)];
    expectKernelLikeReference((x, s) => rmsNorm(x, s), [x, scale]);
  });

  test('several trailing axes are one row; others are left to the reference', () => {
    const [x, scale] = [randomTensor([3, 2, 5, 7], 1), randomTensor([2, 5, 7], 2)];
    expectKernelLikeReference((x, s) => rmsNorm(x, s, { axis: [1, 2, 3] }), [x, scale]);
    expect(() => forcePath('kernel', () => rmsNorm(x, null, { axis: 1 }))).toThrow(
      'dispatch: no kernel TransformersRmsNormNoScale',
    );
  });

  test('as in float64, for rows of any magnitude', () => {
    for (const magnitude of [1e-12, 1e-3, 1, 1e12]) {
      const x = tf.mul(randomTensor([1, 1001], 3), magnitude);
      const values = Array.from(x.dataSync());
      const root = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / 1001);
      const y = forcePath('kernel', () => rmsNorm(x, null, { epsilon: 0 }));
      const expected = { shape: [1, 1001], values: values.map((v) => v / root) };
      expectClose(y, expected, { atol: 0, rtol: 1e-6 });
    }
  });

  test('NaN stays in its row; nothing is read or written for no rows', () => {
    const x = tf.tensor2d([
      [1, 2, 3],
      [1, NaN, 3],
      [3, 2, 1],
    ]);
    const y = forcePath('kernel', () => rmsNorm(x));
    expectIdentical(
      tf.gather(y, [0, 2]),
      forcePath('kernel', () => rmsNorm(tf.gather(x, [0, 2]))),
    );
    expectIdentical(tf.isNaN(tf.slice(y, [1, 0], [1, 3])), tf.ones([1, 3], 'bool'));
    expectKernelLikeReference((x, s) => rmsNorm(x, s), [tf.zeros([0, 5]), tf.ones([5])]);
    expect(forcePath('kernel', () => rmsNorm(tf.zeros([3, 0]))).shape).toEqual([3, 0]);
  });
});
