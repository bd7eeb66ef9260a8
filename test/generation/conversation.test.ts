/** A cache that is kept between the turns of a conversation. */
import * as tf from '@tensorflow/tfjs';
import { createCache, generate } from '../../src/generation/index.js';
import type { CausalLMOptions } from '../../src/models/causal_lm.js';
import { expectScores, recorded } from './recorded_scores.js';
import { tinyModel } from './tiny_models.js';

const prompts = [
  [1, 2, 3, 4, 5, 6],
  [7, 8],
  [9, 10, 11, 2],
];

describe('a cache between turns', () => {
  beforeAll(() => tf.setBackend('cpu'));

  /** Counts the tokens that a model is fed. */
  function counting(model: tf.LayersModel): { fed: number[] } {
    const fed: number[] = [];
    const apply = model.apply.bind(model);
    model.apply = ((inputs: tf.Tensor, kwargs: never) => {
      fed.push(inputs.shape[1]!);
      return apply(inputs, kwargs);
    }) as never;
    return { fed };
  }

  test.each([
    ['learned positions', {}],
    ['rotary positions, window', { position: 'rotary', window: 3 }],
    ['segments', { inputs: ['tokenIds', 'segmentIds'] }],
  ] as [string, Partial<CausalLMOptions>][])(
    'the second turn feeds only what is new: %s',
    async (_, options) => {
      const model = tinyModel(options);
      const cache = createCache(model);
      const first = await recorded(model, [[1, 2, 3]], { cache, maxNewTokens: 4 });
      // The last token was sampled but not fed.
      expect([cache.length, cache.tokens[0]]).toEqual([6, first.ids[0].slice(0, 6)]);
      const prompt = [...first.ids[0], 5, 6];
      const plain = await recorded(model, [prompt], { maxNewTokens: 4 });
      const inputs = model.inputs.length === 1 ? counting(model) : null;
      const second = await recorded(model, [prompt], { cache, maxNewTokens: 4 });
      expect(second.ids).toEqual(plain.ids);
      second.scores.forEach(([row], step) => expectScores(row, plain.scores[step][0]));
      if (inputs) expect(inputs.fed).toEqual([3, 1, 1, 1]);
      cache.dispose();
      model.dispose();
    },
  );

  test('a prompt that differs goes back to where it does', async () => {
    const model = tinyModel();
    const cache = createCache(model);
    await generate(model, [1, 2, 3, 4], { cache, maxNewTokens: 4 });
    const { fed } = counting(model);
    const other = await generate(model, [1, 2, 7, 8], { cache, maxNewTokens: 3 });
    expect(fed).toEqual([2, 1, 1]);
    // The same prompt again: its last token has to be fed for its logits.
    expect(await generate(model, [1, 2, 7, 8], { cache, maxNewTokens: 3 })).toEqual(other);
    expect(fed).toEqual([2, 1, 1, 1, 1, 1]);
    expect(await generate(model, [9], { cache, maxNewTokens: 3 })).toEqual(
      await generate(model, [9], { maxNewTokens: 3 }),
    );
    cache.dispose();
    expect(await generate(model, [1, 2, 7, 8], { maxNewTokens: 3 })).toEqual(other);
    model.dispose();
  });

  test('a window that has forgotten the place starts again', async () => {
    const model = tinyModel({ position: 'rotary', window: 3 });
    const cache = createCache(model);
    await generate(model, [1, 2, 3, 4], { cache, maxNewTokens: 4 });
    const { fed } = counting(model);
    const got = await generate(model, [1, 2, 7, 8], { cache, maxNewTokens: 3 });
    expect(fed).toEqual([4, 1, 1]);
    cache.dispose();
    expect(await generate(model, [1, 2, 7, 8], { maxNewTokens: 3 })).toEqual(got);
    model.dispose();
  });

  test('forks try continuations', async () => {
    const model = tinyModel({ position: 'rotary' });
    const cache = createCache(model);
    const { ids } = await generate(model, [1, 2, 3], { cache, maxNewTokens: 2 });
    const twin = cache.fork();
    for (const [which, token] of [
      [cache, 4],
      [twin, 5],
    ] as const) {
      const prompt = [...ids[0], token];
      expect(await generate(model, prompt, { cache: which })).toEqual(
        await generate(model, prompt),
      );
      which.dispose();
    }
    model.dispose();
  });

  test('batches: rows that ended at different places are right too', async () => {
    const model = tinyModel();
    const eosTokenId = (await generate(model, [7, 8], { maxNewTokens: 3 })).ids[0][4];
    const cache = createCache(model);
    const options = { maxNewTokens: 6, eosTokenId, padTokenId: 0 };
    const first = await generate(model, prompts, { ...options, cache });
    expect(new Set(first.ids.map((row) => row.length)).size).toBeGreaterThan(1);
    const next = first.ids.map((row, b) => [...row, 3, b]);
    const second = await generate(model, next, { ...options, maxNewTokens: 3, cache });
    expect(second).toEqual(await generate(model, next, { ...options, maxNewTokens: 3 }));
    cache.dispose();
    model.dispose();
  });

  test('a model that fails leaves the cache as it was', async () => {
    const model = tinyModel();
    const cache = createCache(model);
    const { ids } = await generate(model, [1, 2, 3], { cache, maxNewTokens: 3 });
    const last = model.layers.find((layer) => layer.name === 'block_1')!;
    const apply = last.apply.bind(last);
    last.apply = () => {
      throw new Error('out of memory');
    };
    const before = tf.memory().numTensors;
    const prompt = [...ids[0], 4, 5];
    await expect(generate(model, prompt, { cache, maxNewTokens: 4 })).rejects.toThrow(
      'out of memory',
    );
    expect([cache.length, tf.memory().numTensors]).toEqual([5, before]);
    last.apply = apply;
    expect(await generate(model, prompt, { cache, maxNewTokens: 4 })).toEqual(
      await generate(model, prompt, { maxNewTokens: 4 }),
    );
    cache.dispose();
    model.dispose();
  });
});
