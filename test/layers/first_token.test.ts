import * as tf from '@tensorflow/tfjs';
import { layers } from 'tfjs-transformers';
import { checkLayer } from 'tfjs-transformers/testing';
import { describeBackends } from '../support/backends.js';
import { expectIdentical } from '../support/expect_close.js';

describeBackends('firstToken', () => {
  test('everything that a layer owes its users', async () => {
    expect((await checkLayer(() => layers.firstToken(), { shape: [2, 3, 5] })).passed).toBe(true);
  });

  test('is the first of each row', () => {
    const x = tf.tensor3d([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]); // prettier-ignore
    expectIdentical(layers.firstToken().apply(x) as tf.Tensor, tf.tensor2d([[1, 2], [5, 6]])); // prettier-ignore
    expect(() => layers.firstToken().apply(tf.zeros([2, 3]))).toThrow(
      'input must have shape [B,T,D], got shape=[2,3]',
    );
  });
});
