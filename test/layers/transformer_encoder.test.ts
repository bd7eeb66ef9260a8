import * as tf from '@tensorflow/tfjs';
import * as layers from '../../src/layers/index.js';
import { checkLayer } from 'tfjs-transformers/testing';
import { describeBackends } from '../support/backends.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';

const [B, T, D, F] = [2, 5, 6, 7];
const options = { numHeads: 3, intermediateDim: F };

describeBackends('transformerEncoder', () => {
  test.each([
    [
      'keras-hub',
      { ...options, activation: 'gelu', normalizeFirst: true, dropout: 0.1 },
      [{ shape: [B, T, D] }],
    ],
    [
      'beyond keras-hub, masked',
      {
        ...options,
        normalization: 'rms',
        layerNormEpsilon: 1e-3,
        activation: 'silu',
        gated: true,
        attentionBias: false,
        mlpBias: false,
        qkNorm: true,
        rotary: { maxWavelength: 50 },
        window: 2,
        softCap: 5,
        seed: 3,
        inputs: ['query', 'paddingMask'],
      },
      [{ shape: [B, T, D] }, { shape: [B, T], dtype: 'int32', max: 2 }],
    ],
    ['scores', { ...options, numHeads: 5, returnAttentionScores: true }, [{ shape: [B, T, D] }]],
  ] as const)('%s: everything that a layer owes its users', async (_, args, inputs) => {
    const make = () => layers.transformerEncoder(args as never);
    const report = await checkLayer(make, [...inputs] as never, {
      skip:
        'returnAttentionScores' in args
          ? { step: 'TensorFlow.js adds losses of different ranks' }
          : {},
    });
    expect(report.passed).toBe(true);
  });

  test('is a transformerBlock with the weights in another order', () => {
    const x = tf.randomNormal([B, T, D], 0, 1, 'float32', 4);
    const encoder = layers.transformerEncoder({
      ...options,
      activation: 'gelu',
      normalizeFirst: true,
    });
    const block = layers.transformerBlock({ ...options, activation: 'gelu' });
    for (const layer of [encoder, block]) layer.apply(x);
    const value = (name: string): tf.Tensor => {
      const theirs = name
        .replace(/^[^/]*\//, '')
        .replace(/^self_attention\//, 'self_attention_layer/');
      return encoder.weights.find((w) => w.originalName.endsWith(`/${theirs}`))!.read();
    };
    block.setWeights(block.weights.map((w) => value(w.originalName)));
    expectIdentical(encoder.apply(x) as tf.Tensor, block.apply(x) as tf.Tensor);
  });

  test('returns the probabilities of its attention', () => {
    const x = tf.randomNormal([B, T, D], 0, 1, 'float32', 4);
    const encoder = layers.transformerEncoder(options);
    const paddingMask = tf.tensor2d([[1, 1, 0, 1, 0], [1, 1, 1, 1, 1]]); // prettier-ignore
    const given = { paddingMask, returnAttentionScores: true };
    const [out, scores] = encoder.apply(x, given) as tf.Tensor[];
    expect(scores.shape).toEqual([B, 3, T, T]);
    expectClose(scores.sum(-1), tf.ones([B, 3, T]), { atol: 1e-5 });
    expectIdentical(scores.gather([2, 4], 3).slice([0], [1]), tf.zeros([1, 3, T, 2]));
    expectClose(encoder.apply(x, { paddingMask }) as tf.Tensor, out);
  });

  test('a configuration holds keras-hub’s names, and ours only when they are used', () => {
    const config = layers.transformerEncoder(options).getConfig();
    expect(Object.keys(config).sort()).toEqual([
      'activation', 'biasInitializer', 'dropout', 'dtype', 'intermediateDim', 'kernelInitializer', 'layerNormEpsilon', 'name',
      'normalizeFirst', 'numHeads', 'trainable',
    ].filter((name) => name in config).sort()); // prettier-ignore
    expect(layers.transformerEncoder({ ...options, gated: true }).getConfig().gated).toBe(true);
  });

  test('bad options are named', () => {
    expect(() =>
      layers.transformerEncoder({ ...options, numHeads: 7 }).apply(tf.zeros([B, T, D])),
    ).toThrow('numHeads must not exceed the width, got numHeads=7, width=6');
    expect(() => layers.transformerEncoder({ ...options, normFirst: true } as never)).toThrow(
      'normalizeFirst',
    );
    expect(() => layers.transformerEncoder({ ...options, activation: 'gelo' as never })).toThrow(
      'activation must be one of',
    );
    expect(() =>
      layers.transformerEncoder(options).apply([tf.zeros([B, T, D]), tf.zeros([B, T, D])]),
    ).toThrow('a list of inputs may hold query, got 2 tensors');
  });
});
