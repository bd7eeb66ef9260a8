import * as tf from '@tensorflow/tfjs';
import { layers } from 'tfjs-transformers';
import { checkLayer } from 'tfjs-transformers/testing';
import { describeBackends } from '../support/backends.js';
import { expectIdentical } from '../support/expect_close.js';

describeBackends('featureMask', () => {
  test('everything that a layer owes its users', async () => {
    const report = await checkLayer(() => layers.featureMask({ maskValue: 2 }), {
      shape: [2, 3, 5],
    });
    expect(report.checks.shape).toBe('passed');
  });

  test('is true where any feature differs', () => {
    const x = tf.tensor3d([[[7, 7], [7, 0], [7, 7]]]); // prettier-ignore
    const mask = layers.featureMask({ maskValue: 7 }).apply(x) as tf.Tensor;
    expectIdentical(mask, tf.tensor4d([0, 1, 0], [1, 1, 1, 3], 'bool'));
    expect(() => layers.featureMask().apply(tf.zeros([2, 3]))).toThrow(
      'features must have shape [B,S,D]',
    );
  });
});
