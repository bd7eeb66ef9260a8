import * as tf from '@tensorflow/tfjs';
import type { KVCache } from '../../src/cache/kv_cache.js';
import { createCache, generate } from '../../src/generation/index.js';
import { multiHeadAttention } from '../../src/layers/multi_head_attention.js';
import type { CausalLMOptions } from '../../src/models/causal_lm.js';
import { writesInPlace } from '../../src/ops/cache_write.js';
import { describeBackends } from '../support/backends.js';
import { expectClose } from '../support/expect_close.js';
import { opinionated, plainLogits, tinyModel, V } from './tiny_models.js';

const kinds: [string, Partial<CausalLMOptions>][] = [
  ['learned', { position: 'learned' }],
  ['sine', { position: 'sine' }],
  ['rotary, grouped heads', { position: 'rotary', numHeads: 4, numKeyValueHeads: 2, headDim: 4 }],
  ['ALiBi', { position: 'alibi' }],
  ['no positions', { position: 'none' }],
  ['rotary, window', { position: 'rotary', window: 3 }],
  ['ALiBi, window', { position: 'alibi', window: 4 }],
  [
    'learned, untied, gated',
    { position: 'learned', tieEmbeddings: false, gated: true, normalization: 'rms' },
  ],
];

const ids = [
  [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5],
  [2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4],
];
const T = ids[0].length;

/** Logits of the tokens from … to with what the cache holds before them. */
function step(model: tf.LayersModel, cache: KVCache, from: number, to: number): tf.Tensor {
  const part = ids.map((row) => row.slice(from, to));
  return model.apply(tf.tensor2d(part, undefined, 'int32'), {
    cache,
    training: false,
  }) as tf.Tensor;
}

describeBackends('cached = uncached logits at every position', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  test.each(kinds)('%s', (_, options) => {
    const model = tinyModel(options);
    const expected = plainLogits(model, ids);
    const close = (got: tf.Tensor, from: number, to: number): void =>
      expectClose(got, tf.slice(expected, [0, from, 0], [2, to - from, V]), {
        atol: 2e-4,
        rtol: 2e-4,
      });
    const run = (cache: KVCache, ends: number[]): void => {
      let from = cache.length;
      for (const to of ends) {
        close(step(model, cache, from, to), from, to);
        from = to;
        expect(cache.length).toBe(to);
      }
    };
    const each = Array.from({ length: T }, (_, t) => t + 1);

    const byToken = createCache(model);
    run(byToken, each);
    const byChunk = createCache(model);
    run(byChunk, [4, 5, 9]);
    const forked = byChunk.fork();
    run(byChunk, [10, T]);
    run(forked, [T]);
    for (const cache of [byToken, byChunk, forked]) {
      // Back to the place where the paths part, or, where a window has forgotten it, to the start.
      const place = cache.canTrim(6) ? 6 : 0;
      expect(place).toBe(options.window ? 0 : 6);
      cache.trim(place);
      run(cache, [7, T]);
      cache.dispose();
    }
  });

  test('a window bounds what is held', () => {
    const model = tinyModel({ position: 'rotary', window: 3 });
    const cache = createCache(model);
    step(model, cache, 0, 5);
    const { bytes } = cache;
    step(model, cache, 5, T);
    expect(cache.bytes).toBe(bytes);
    const room = writesInPlace() ? 64 : 3; // a buffer is for twice the window, and not for less than 64 tokens
    expect(bytes).toBe(2 * 2 * 4 * (2 * room * 2 * 6)); // layers, key and value, bytes, [B, room, K, H]
    cache.dispose();
  });
});

describe('createCache', () => {
  beforeAll(() => tf.setBackend('cpu'));

  test('takes a capacity', () => {
    const model = tinyModel({ position: 'rotary' });
    createCache(model, { capacity: 100 }).dispose();
    expect(() => createCache(model, { capacity: 0 })).toThrow(
      'KVCache: capacity must be an integer of at least 1, got capacity=0.',
    );
    expect(() => createCache(model, { size: 3 } as never)).toThrow(
      "KVCache: unknown option 'size'.",
    );
  });

  /** A model of TensorFlow.js' layers around attention layers. */
  function modelOf(middle: (x: tf.SymbolicTensor) => tf.SymbolicTensor): tf.LayersModel {
    const input = tf.input({ shape: [null], dtype: 'int32' });
    const x = tf.layers.embedding({ inputDim: V, outputDim: 6 }).apply(input) as tf.SymbolicTensor;
    const outputs = tf.layers.dense({ units: V }).apply(middle(x)) as tf.SymbolicTensor;
    return opinionated(tf.model({ inputs: input, outputs }));
  }
  const attend = (options = {}, x: any): tf.SymbolicTensor =>
    multiHeadAttention({ numHeads: 2, keyDim: 3, ...options }).apply(x) as never;

  test('a model of plain layers and our attention', async () => {
    const model = modelOf((x) => attend({ useCausalMask: true }, x));
    const cached = await generate(model, [1, 2], { maxNewTokens: 9 });
    expect(cached).toEqual(await generate(model, [1, 2], { maxNewTokens: 9, useCache: false }));
    const cache = createCache(model);
    expect(cache.length).toBe(0);
    cache.dispose();
  });

  test('layers in nested models and in tf.sequential are found', async () => {
    const inner = tf.sequential({
      layers: [
        multiHeadAttention({
          numHeads: 1,
          keyDim: 3,
          useCausalMask: true,
          inputShape: [null, 6],
        } as never) as never,
        tf.layers.dense({ units: 6 }),
      ],
    });
    const model = modelOf((x) => inner.apply(x) as tf.SymbolicTensor);
    const cache = createCache(model);
    const { ids: rows } = await generate(model, [1, 2], { maxNewTokens: 4, cache });
    expect(cache.length).toBe(5);
    expect(rows).toEqual((await generate(model, [1, 2], { maxNewTokens: 4, useCache: false })).ids);
    cache.dispose();
  });

  test('attention that sees later tokens cannot be cached', async () => {
    const model = modelOf((x) => attend({ name: 'both_ways' }, x));
    const text =
      "every self-attention layer must be causal, got layer 'both_ways' without useCausalMask.";
    expect(() => createCache(model)).toThrow(`createCache: ${text}`);
    await expect(generate(model, [1])).rejects.toThrow(`generate: ${text}`);
    expect((await generate(model, [1], { useCache: false, maxNewTokens: 3 })).ids[0]).toHaveLength(
      4,
    );
  });

  test('nor can a layer of TensorFlow.js that looks across tokens', () => {
    const model = modelOf(
      (x) =>
        tf.layers
          .lstm({ units: 6, returnSequences: true, name: 'memory' })
          .apply(attend({ useCausalMask: true }, x)) as tf.SymbolicTensor,
    );
    expect(() => createCache(model)).toThrow(
      "createCache: layer 'memory' (LSTM) looks across tokens and cannot be cached. Set useCache: false.",
    );
  });

  test('a model without attention is generated from, uncached', async () => {
    const model = modelOf(
      (x) => tf.layers.lstm({ units: 6, returnSequences: true }).apply(x) as tf.SymbolicTensor,
    );
    expect(() => createCache(model)).toThrow('createCache: the model must have attention layers');
    expect((await generate(model, [1, 2], { maxNewTokens: 3 })).ids[0]).toHaveLength(5);
  });

  test('a layer that is called twice is noticed', async () => {
    const shared = multiHeadAttention({
      numHeads: 1,
      keyDim: 3,
      useCausalMask: true,
      name: 'twice',
    });
    const model = modelOf((x) => shared.apply(shared.apply(x) as never) as never);
    const before = tf.memory().numTensors;
    await expect(generate(model, [1, 2, 3])).rejects.toThrow(
      "generate: layer 'twice' wrote 6 tokens to the cache instead of 3.",
    );
    expect(tf.memory().numTensors).toBe(before);
  });
});
