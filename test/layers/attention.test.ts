import * as tf from '@tensorflow/tfjs';
import * as layers from '../../src/layers/index.js';
import { checkLayer } from 'tfjs-transformers/testing';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';

const [B, T, S, D, W] = [2, 3, 5, 7, 4];
const randoms = (shape: number[], seed: number): tf.Tensor =>
  tf.randomNormal(shape, 0, 1, 'float32', seed);
const inputs = (): tf.Tensor[] => [
  randoms([B, T, D], 1),
  randoms([B, S, W], 2),
  randoms([B, S, D], 3),
];
const shapes = [{ shape: [B, T, D] }, { shape: [B, S, W] }, { shape: [B, S, D] }];

describeBackends('attention', () => {
  test.each([
    ['dot with scale', { useScale: true, dropout: 0.2, seed: 3 }],
    ['concat', { scoreMode: 'concat', useCausalMask: true }],
    [
      'concat with scale, scores',
      { scoreMode: 'concat', useScale: true, returnAttentionScores: true },
    ],
  ] as const)('%s: everything that a layer owes its users', async (_, args) => {
    const report = await checkLayer(() => layers.attention(args as never), shapes);
    expect(report.passed).toBe(true);
  });

  test('is softmax(q·kᵀ)·v, with no 1/√D, and scores before dropout', () => {
    const [query, value, key] = inputs();
    const layer = layers.attention({ dropout: 0.5, seed: 1, returnAttentionScores: true });
    const [out, scores] = layer.apply([query, value, key]) as tf.Tensor[];
    const expected = tf.softmax(tf.matMul(query, key, false, true));
    expectClose(scores, expected, { atol: 1e-6 });
    expectClose(out, tf.matMul(expected, value), { atol: 1e-5 });
    const trained = layer.apply([query, value, key], { training: true }) as tf.Tensor[];
    expectClose(trained[1], expected, { atol: 1e-6 });
    expect(trained[0].sub(out).abs().max().dataSync()[0]).toBeGreaterThan(1e-3);
  });

  test('a query that sees nothing gives 0 with gradient 0, where Keras gives the mean of all values', () => {
    const [query, value, key] = inputs();
    const layer = layers.attention({ returnAttentionScores: true });
    const valueMask = tf.tensor2d([[0, 0, 0, 0, 0], [1, 0, 1, 0, 0]]); // prettier-ignore
    const [out, scores] = layer.apply([query, value, key], { valueMask }) as tf.Tensor[];
    expectIdentical(out.slice([0], [1]), tf.zeros([1, T, W]));
    expectIdentical(scores.slice([0], [1]), tf.zeros([1, T, S]));
    const plain = layers.attention();
    const [dq] = tf.grads((...x) => plain.apply(x, { valueMask }) as tf.Tensor)([
      query,
      value,
      key,
    ]);
    expectIdentical(dq.slice([0], [1]), tf.zeros([1, T, D]));
    expectClose(scores.slice([1]).sum(-1), tf.ones([1, T]), { atol: 1e-6 });
  });

  test('masks by name, as a list and inside a model say the same', () => {
    const [query, value] = [randoms([B, T, D], 1), randoms([B, S, D], 2)];
    const queryMask = tf.tensor2d([[1, 1, 0], [0, 1, 1]]); // prettier-ignore
    const valueMask = tf.tensor2d([[1, 0, 1, 1, 0], [1, 1, 1, 0, 0]]); // prettier-ignore
    const layer = layers.attention();
    const expected = layer.apply([query, value], { queryMask, valueMask }) as tf.Tensor;
    expectIdentical(
      layer.apply([query, value], { mask: [queryMask, valueMask] }) as tf.Tensor,
      expected,
    );
    const only = layer.apply([query, value], { mask: [null, valueMask] }) as tf.Tensor;
    expectIdentical(only, layer.apply([query, value], { valueMask }) as tf.Tensor);
    const graph = [[T, D], [S, D], [T], [S]].map((shape) => tf.input({ shape })); // prettier-ignore
    const [q, v, ...mask] = graph;
    const outputs = layers.attention().apply([q, v], { mask }) as tf.SymbolicTensor;
    const model = tf.model({ inputs: graph, outputs });
    expectIdentical(model.predict([query, value, queryMask, valueMask]) as tf.Tensor, expected);
  });

  test('more axes in front are batch axes', () => {
    const [query, value] = [randoms([B, 3, T, D], 1), randoms([B, 3, S, D], 2)];
    const layer = layers.attention({ useCausalMask: true, returnAttentionScores: true });
    const [out, scores] = layer.apply([query, value]) as tf.Tensor[];
    const flat = [query.reshape([3 * B, T, D]), value.reshape([3 * B, S, D])];
    const [flatOut, flatScores] = layer.apply(flat) as tf.Tensor[];
    expectIdentical(out, flatOut.reshape([B, 3, T, D]));
    expectIdentical(scores, flatScores.reshape([B, 3, T, S]));
  });

  test('leaves nothing behind', () => {
    const layer = layers.attention({ scoreMode: 'concat', useScale: true });
    const x = inputs();
    tf.dispose(layer.apply(x) as tf.Tensor);
    expectNoLeak(() => layer.apply(x) as tf.Tensor);
  });

  test('bad input is named', () => {
    expect(() => layers.attention({ scoreMode: 'product' as never })).toThrow(
      "scoreMode must be 'dot' or 'concat', got scoreMode='product'",
    );
    expect(() => layers.attention().apply(tf.zeros([B, T, D]))).toThrow(
      '[query, value] or [query, value, key]',
    );
    expect(() => layers.attention().apply([tf.zeros([B, T, D]), tf.zeros([B, S, W])])).toThrow(
      'query and key must have the same width, got query=[2,3,7], key=[2,5,4]',
    );
    const call = { valueMask: tf.zeros([B, T]) };
    expect(() =>
      layers.attention().apply([tf.zeros([B, T, D]), tf.zeros([B, S, D])], call),
    ).toThrow('valueMask must be over the positions of value, [B,T], got valueMask=[2,3]');
    expect(() => layers.attention({ use_scale: true } as never)).toThrow(
      "Did you mean 'useScale'?",
    );
  });
});
