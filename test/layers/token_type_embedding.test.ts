import * as tf from '@tensorflow/tfjs';
import { layers } from 'tfjs-transformers';
import { checkLayer } from 'tfjs-transformers/testing';
import { describeBackends } from '../support/backends.js';
import { expectIdentical } from '../support/expect_close.js';

const [B, T, D] = [2, 3, 5];

describeBackends('tokenTypeEmbedding', () => {
  test('everything that a layer owes its users', async () => {
    const make = () => layers.tokenTypeEmbedding({ numTypes: 4, initializer: 'heNormal' });
    const ids = { shape: [B, T], dtype: 'int32' as const, max: 4 };
    expect((await checkLayer(make, [{ shape: [B, T, D] }, ids])).passed).toBe(true);
    expect((await checkLayer(make, { shape: [B, T, D] })).passed).toBe(true);
  });

  test('is the row of each type, that of type 0 when there are none', () => {
    const layer = layers.tokenTypeEmbedding({ numTypes: 2 });
    const x = tf.zeros([B, T, D]);
    layer.apply(x);
    layer.setWeights([tf.concat([tf.fill([1, D], 7), tf.fill([1, D], 9)])]);
    expectIdentical(layer.apply(x) as tf.Tensor, tf.fill([B, T, D], 7));
    const tokenTypeIds = tf.tensor2d([[0, 1, 1], [1, 0, 0]], [B, T], 'int32'); // prettier-ignore
    const expected = tf.tensor3d([7, 9, 9, 9, 7, 7], [B, T, 1]).mul(tf.ones([D]));
    expectIdentical(layer.apply(x, { tokenTypeIds }) as tf.Tensor, expected);
    expect(() => layer.apply(x, { tokenTypeIds: tf.zeros([B, 2], 'int32') })).toThrow(
      'tokenTypeIds must have shape [B,T]=[2,3], got tokenTypeIds=[2,2]',
    );
    expect(() => layers.tokenTypeEmbedding({ numTypes: 0 })).toThrow('numTypes must be an integer');
  });
});
