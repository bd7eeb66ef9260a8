import * as tf from '@tensorflow/tfjs';
import { layers } from 'tfjs-transformers';
import { checkLayer } from 'tfjs-transformers/testing';
import { KVCache } from '../../src/cache/kv_cache.js';
import { attentionScores } from '../../src/layers/attention_scores.js';
import { describeBackends } from '../support/backends.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';
import { saveAndLoad } from '../support/save_and_load.js';

const [B, T, S, D, E, F] = [2, 5, 7, 6, 5, 7];
const options = { numHeads: 3, intermediateDim: F };
const randoms = (shape: number[], seed: number): tf.Tensor =>
  tf.randomNormal(shape, 0, 1, 'float32', seed);
const ofDecoder = { shape: [B, T, D] };
const ofEncoder = { shape: [B, S, E] };

describeBackends('transformerDecoder', () => {
  test.each([
    ['alone', { ...options, activation: 'gelu', normalizeFirst: true, dropout: 0.1 }, ofDecoder],
    [
      'with an encoder, grouped',
      {
        ...options,
        numHeads: 4,
        numKeyValueHeads: 2,
        headDim: 6,
        normalization: 'rms',
        gated: true,
        qkNorm: true,
        rotary: true,
        useCausalMask: false,
        gradientCheckpointing: true,
      },
      [ofDecoder, ofEncoder],
    ],
    [
      'with masks of both',
      {
        ...options,
        inputs: [
          'decoderSequence',
          'encoderSequence',
          'decoderPaddingMask',
          'encoderPaddingMask',
          'encoderAttentionMask',
        ],
      },
      [
        ofDecoder,
        ofEncoder,
        { shape: [B, T], dtype: 'int32', max: 2 },
        { shape: [B, S], dtype: 'int32', max: 2 },
        { shape: [B, T, S], dtype: 'int32', max: 2 },
      ],
    ],
  ] as const)('%s: everything that a layer owes its users', async (_, args, inputs) => {
    const report = await checkLayer(
      () => layers.transformerDecoder(args as never),
      inputs as never,
    );
    expect(report.passed).toBe(true);
  });

  test('masks by keras-hub’s names, by ours and inside a model say the same', async () => {
    const [x, encoder] = [randoms([B, T, D], 1), randoms([B, S, E], 2)];
    const real = tf.tensor2d([[1, 1, 1, 1, 0], [1, 1, 1, 0, 0]]); // prettier-ignore
    const source = tf.tensor2d([[1, 1, 1, 1, 0, 0, 1], [0, 1, 1, 1, 0, 1, 1]]); // prettier-ignore
    const layer = layers.transformerDecoder(options);
    const given = { decoderPaddingMask: real, encoderPaddingMask: source };
    const expected = layer.apply([x, encoder], given) as tf.Tensor;
    expectIdentical(
      layer.apply([x, encoder], { paddingMask: real, encoderPaddingMask: source }) as tf.Tensor,
      expected,
    );
    const wild = tf.where(
      source.expandDims(-1).equal(1).broadcastTo([B, S, E]),
      encoder,
      tf.fill([B, S, E], 1e9),
    );
    expectIdentical(layer.apply([x, wild], given) as tf.Tensor, expected);

    const [a, b, c, d] = [[T, D], [S, E], [T], [S]].map((shape) => tf.input({ shape })); // prettier-ignore
    const inner = layers.transformerDecoder(options);
    const outputs = inner.apply(a, {
      encoderSequence: b,
      decoderPaddingMask: c,
      encoderPaddingMask: d,
    }) as tf.SymbolicTensor;
    expect(inner.getConfig().inputs).toEqual([
      'query',
      'encoderSequence',
      'encoderPaddingMask',
      'paddingMask',
    ]);
    const model = tf.model({ inputs: [a, b, c, d], outputs });
    model.setWeights(layer.getWeights());
    expectIdentical(model.predict([x, encoder, real, source]) as tf.Tensor, expected);
    const again = await saveAndLoad(model);
    expectIdentical(again.predict([x, encoder, real, source]) as tf.Tensor, expected);
    const scores = attentionScores(model as never, [x, encoder, real, source]);
    expect([...scores.keys()].map((path) => path.replace(/.*\//, ''))).toEqual([
      'self_attention',
      'cross_attention',
    ]);
    const [, cross] = [...scores.values()];
    expect(cross.shape).toEqual([B, 3, T, S]);
    expectClose(cross.sum(-1), tf.ones([B, 3, T]), { atol: 1e-5 });
    tf.dispose([...scores.values()]);
  });

  test('projects the encoder’s keys once, and forked caches and selected rows go their own ways', () => {
    const [x, encoder] = [randoms([B, T, D], 1), randoms([B, S, E], 2)];
    const layer = layers.transformerDecoder(options);
    const full = layer.apply([x, encoder]) as tf.Tensor;
    const cache = new KVCache();
    const step = (c: KVCache, from: number, to: number, rows = [0, 1]): tf.Tensor => {
      const part = tf.gather(x, rows).slice([0, from], [rows.length, to - from]);
      // Not read any more after the first call.
      const source = c.length === 0 ? encoder : tf.fill([rows.length, S, E], NaN);
      return layer.apply([part, source], { cache: c }) as tf.Tensor;
    };
    expectClose(step(cache, 0, 2), full.slice([0, 0], [B, 2]), { atol: 1e-5 });
    const twin = cache.fork();
    twin.selectRows([1, 1, 0]);
    expectClose(step(cache, 2, 5), full.slice([0, 2], [B, 3]), { atol: 1e-5 });
    const rows = tf.gather(full, [1, 1, 0]).slice([0, 2], [3, 1]);
    expectClose(step(twin, 2, 3, [1, 1, 0]), rows, { atol: 1e-5 });
    cache.trim(2);
    expectClose(step(cache, 2, 3), full.slice([0, 2], [B, 1]), { atol: 1e-5 });
    cache.dispose();
    twin.dispose();
  });

  test('keeps to how it was built', () => {
    const x = tf.zeros([B, T, D]);
    const alone = layers.transformerDecoder(options);
    alone.apply(x);
    expect(() => alone.apply([x, tf.zeros([B, S, E])])).toThrow(
      'was built without an encoderSequence, and is called with one',
    );
    const both = layers.transformerDecoder(options);
    both.apply([x, tf.zeros([B, S, E])]);
    expect(() => both.apply(x)).toThrow(
      'was built with an encoderSequence, and is called without one',
    );
    expect(both.getConfig()).toMatchObject({
      decoderSequenceShape: [B, T, D],
      encoderSequenceShape: [B, S, E],
    });
    expect(alone.getConfig().useCausalMask).toBe(undefined);
    expect(
      layers.transformerDecoder({ ...options, useCausalMask: false }).getConfig().useCausalMask,
    ).toBe(false);
    const cache = new KVCache();
    expect(() =>
      layers.transformerDecoder({ ...options, useCausalMask: false }).apply(x, { cache }),
    ).toThrow('only causal self-attention can use a cache');
    cache.dispose();
  });
});
