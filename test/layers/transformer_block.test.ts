import * as tf from '@tensorflow/tfjs';
import { layers, masks } from 'tfjs-transformers';
import { checkLayer } from 'tfjs-transformers/testing';
import { describeBackends } from '../support/backends.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';

const [B, T, D, F] = [2, 5, 12, 19];
const options = { numHeads: 3, intermediateDim: F } as const;

describeBackends('transformerBlock', () => {
  test.each([
    ['GPT-2', { ...options, useCausalMask: true, dropout: 0.1, seed: 3 }],
    ['BERT', { ...options, normFirst: false, activation: 'gelu', normEpsilon: 1e-12 }],
    [
      'Llama',
      {
        ...options,
        numHeads: 4,
        numKeyValueHeads: 2,
        headDim: 6,
        normalization: 'rms',
        activation: 'silu',
        gated: true,
        attentionBias: false,
        mlpBias: false,
        qkNorm: true,
        rotary: { maxWavelength: 50 },
        window: 3,
        softCap: 9,
        useCausalMask: true,
      },
    ],
    [
      'ALiBi',
      { ...options, alibi: true, kernelInitializer: 'heNormal', residualInitializer: 'zeros' },
    ],
  ] as const)('%s: everything that a layer owes its users', async (_, args) => {
    const report = await checkLayer(() => layers.transformerBlock(args as never), {
      shape: [B, T, D],
    });
    expect(report.passed).toBe(true);
  });

  test('weights have the names and the order of the decoder of keras-hub', () => {
    const block = layers.transformerBlock({ ...options, gated: true });
    block.apply(tf.zeros([B, T, D]));
    expect(block.weights.map((w) => w.originalName.slice(block.name.length + 1))).toEqual([
      ...['query', 'key', 'value', 'attention_output'].flatMap((part) => [
        `self_attention/${part}/kernel`,
        `self_attention/${part}/bias`,
      ]),
      'self_attention_layer_norm/gamma',
      'self_attention_layer_norm/beta',
      ...['intermediate', 'gate', 'output'].flatMap((part) => [
        `feedforward_${part}_dense/kernel`,
        `feedforward_${part}_dense/bias`,
      ]),
      'feedforward_layer_norm/gamma',
      'feedforward_layer_norm/beta',
    ]);
  });

  test('is attention and feed-forward with residuals, in both orders', () => {
    const x = tf.randomNormal([B, T, D], 0, 1, 'float32', 4);
    for (const normFirst of [true, false]) {
      const block = layers.transformerBlock({
        ...options,
        normFirst,
        activation: 'relu',
        useCausalMask: true,
      });
      block.apply(x);
      const weight = (name: string): tf.Tensor =>
        block.weights.find((w) => w.originalName.endsWith(name))!.read();
      const attention = layers.multiHeadAttention({ numHeads: 3, keyDim: 4, useCausalMask: true });
      attention.apply(x);
      attention.setWeights(block.getWeights().slice(0, 8));
      const norm = (h: tf.Tensor): tf.Tensor => {
        const { mean, variance } = tf.moments(h, -1, true);
        return h.sub(mean).div(variance.add(1e-5).sqrt());
      };
      const feedForward = (h: tf.Tensor): tf.Tensor => {
        const wide = h
          .reshape([B * T, D])
          .matMul(weight('intermediate_dense/kernel') as tf.Tensor2D)
          .relu();
        return wide.matMul(weight('output_dense/kernel') as tf.Tensor2D).reshape([B, T, D]);
      };
      const attend = (h: tf.Tensor): tf.Tensor => attention.apply(h) as tf.Tensor;
      let expected: tf.Tensor;
      if (normFirst) {
        const h = x.add(attend(norm(x)));
        expected = h.add(feedForward(norm(h)));
      } else {
        const h = norm(x.add(attend(x)));
        expected = norm(h.add(feedForward(h)));
      }
      expectClose(block.apply(x) as tf.Tensor, expected, { atol: 2e-5 });
    }
  });

  test('masks from the graph and from the call hold together', () => {
    const block = layers.transformerBlock(options);
    const [x, paddingMask] = [tf.input({ shape: [T, D] }), tf.input({ shape: [T] })];
    const model = tf.model({
      inputs: [x, paddingMask],
      outputs: block.apply(x, { paddingMask }) as tf.SymbolicTensor,
    });
    const data = tf.randomNormal([B, T, D], 0, 1, 'float32', 4);
    const graph = tf.tensor2d([[1, 1, 1, 0, 1], [0, 1, 1, 1, 1]]); // prettier-ignore
    const call = tf.tensor2d([[1, 0, 1, 1, 1], [1, 1, 1, 1, 0]]); // prettier-ignore
    const both = model.apply([data, graph], { paddingMask: call }) as tf.Tensor;
    expectIdentical(both, model.predict([data, tf.mul(graph, call)]) as tf.Tensor);
    const attentionMask = masks.and(graph.reshape([B, 1, 1, T]), call.reshape([B, 1, 1, T]));
    expectIdentical(both, block.apply(data, { attentionMask }) as tf.Tensor);
    model.dispose();
  });

  test('dropout of nearly everything leaves the norms of the input', () => {
    const block = layers.transformerBlock({
      ...options,
      dropout: 0.9999999,
      normFirst: false,
      seed: 1,
    });
    const x = tf.randomNormal([B, T, D], 0, 1, 'float32', 4);
    block.apply(x);
    const { mean, variance } = tf.moments(x, -1, true);
    const norm = x.sub(mean).div(variance.add(1e-5).sqrt());
    expectClose(block.apply(x, { training: true }) as tf.Tensor, norm, { atol: 1e-4 });
  });

  test('bad input is named', () => {
    expect(() => layers.transformerBlock({ ...options, numHeads: 0 })).toThrow(
      'numHeads must be an integer',
    );
    expect(() =>
      layers.transformerBlock({ ...options, numHeads: 5 }).apply(tf.zeros([B, T, D])),
    ).toThrow('numHeads must divide the width, got numHeads=5, width=12');
    expect(() => layers.transformerBlock({ ...options, dropOut: 1 } as never)).toThrow('dropOut');
  });
});
