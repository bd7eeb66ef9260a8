import * as tf from '@tensorflow/tfjs';
import { layers } from 'tfjs-transformers';
import { checkLayer } from 'tfjs-transformers/testing';
import { describeBackends } from '../support/backends.js';
import { expectIdentical } from '../support/expect_close.js';

describeBackends('bias', () => {
  test('everything that a layer owes its users', async () => {
    expect((await checkLayer(() => layers.bias(), { shape: [2, 3, 5] })).passed).toBe(true);
  });

  test('adds a vector, 0 at first', () => {
    const layer = layers.bias();
    const x = tf.tensor2d([[1, 2], [3, 4]]); // prettier-ignore
    expectIdentical(layer.apply(x) as tf.Tensor, x);
    layer.setWeights([tf.tensor1d([10, 20])]);
    expectIdentical(layer.apply(x) as tf.Tensor, tf.tensor2d([[11, 22], [13, 24]])); // prettier-ignore
    expect(() => layers.bias().apply(tf.input({ shape: [null] }))).toThrow(
      'the last axis of the input must be known',
    );
  });
});
