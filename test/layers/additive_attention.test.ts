import * as tf from '@tensorflow/tfjs';
import { layers } from 'tfjs-transformers';
import { checkLayer } from 'tfjs-transformers/testing';
import { describeBackends } from '../support/backends.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';

const [B, T, S, D, W] = [2, 3, 5, 7, 4];

describeBackends('additiveAttention', () => {
  test('everything that a layer owes its users', async () => {
    const shapes = [{ shape: [B, T, D] }, { shape: [B, S, W] }, { shape: [B, S, D] }];
    const make = () => layers.additiveAttention({ useCausalMask: true, dropout: 0.2, seed: 4 });
    expect((await checkLayer(make, shapes)).passed).toBe(true);
  });

  test('is what it says it is', () => {
    const [query, value] = [tf.randomNormal([B, T, D], 0, 1, 'float32', 1), tf.randomNormal([B, S, D], 0, 1, 'float32', 2)]; // prettier-ignore
    const layer = layers.additiveAttention({ returnAttentionScores: true });
    const [out, scores] = layer.apply([query, value]) as tf.Tensor[];
    const [scale] = layer.getWeights();
    expect(scale.shape).toEqual([D]);
    const rows = query.expandDims(2).add(value.expandDims(1)).tanh().mul(scale).sum(-1);
    const expected = tf.softmax(rows);
    expectClose(scores, expected, { atol: 1e-6 });
    expectClose(out, tf.matMul(expected, value), { atol: 1e-5 });
  });

  test('a query that sees nothing gives 0', () => {
    const layer = layers.additiveAttention({ useScale: false });
    const mask = [null, tf.tensor2d([[0, 0, 0, 0, 0], [0, 1, 0, 0, 0]])]; // prettier-ignore
    const value = tf.randomNormal([B, S, D], 0, 1, 'float32', 2);
    const out = layer.apply([tf.ones([B, T, D]), value], { mask }) as tf.Tensor;
    expectIdentical(out.slice([0], [1]), tf.zeros([1, T, D]));
    const one = value.slice([1, 1, 0], [1, 1, D]);
    expectClose(out.slice([1]), tf.tile(one, [1, T, 1]), { atol: 1e-6 });
    expect(layer.weights).toHaveLength(0);
  });
});
