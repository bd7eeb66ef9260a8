import * as tf from '@tensorflow/tfjs';
import { createCache, generate, stream } from '../../src/generation/index.js';
import { bytes } from '../../src/tokenizers/bytes.js';
import { characters } from '../../src/tokenizers/characters.js';
import { describeBackends } from '../support/backends.js';
import { fakeModel, scriptedModel, tinyModel } from './tiny_models.js';

async function all<T>(steps: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const step of steps) list.push(step);
  return list;
}

describe('stream', () => {
  beforeAll(() => tf.setBackend('cpu'));

  test('hands out each token as it comes', async () => {
    const model = scriptedModel([3, 1, 2], 1, 4);
    const steps = stream(model, [0], { eosTokenId: 2 });
    expect(model.calls).toHaveLength(0);
    expect(await steps.next()).toEqual({ done: false, value: { step: 0, ids: [3] } });
    expect(model.calls).toHaveLength(1);
    expect(await all(steps)).toEqual([
      { step: 1, ids: [1] },
      { step: 2, ids: [2] },
    ]);
    expect(model.calls).toHaveLength(3);
  });

  test('text is never half a character', async () => {
    const tokenizer = bytes();
    const script = [...new TextEncoder().encode('né€😀!')];
    const model = scriptedModel(script, 1, 256);
    const steps = await all(stream(model, 'a', { tokenizer, maxNewTokens: script.length }));
    expect(steps.map(({ text }) => text)).toEqual([
      'n',
      '',
      'é',
      '',
      '',
      '€',
      '',
      '',
      '',
      '😀',
      '!',
    ]);
    const cut = await all(stream(model, 'a', { tokenizer, maxNewTokens: 5 }));
    expect(cut.map(({ text }) => text)).toEqual(['n', '', 'é', '', '\ufffd']);
  });

  test('a prompt that ends in the middle of a character is continued', async () => {
    const [first, second] = new TextEncoder().encode('é');
    const model = scriptedModel([second, 33], 1, 256);
    const steps = await all(stream(model, [first], { tokenizer: bytes(), maxNewTokens: 2 }));
    expect(steps.map(({ text }) => text)).toEqual(['é', '!']);
  });

  test('several rows: finished ones give padding and no text', async () => {
    const tokenizer = characters('abcd', { special: ['<end>'] });
    const model = fakeModel((ids) => {
      const next = (ids[ids.length - 1] + 1) % 5;
      return [0, 1, 2, 3, 4].map((id) => (id === next ? 1 : 0));
    }, 5);
    const steps = await all(stream(model, ['c', 'ab'], { tokenizer, eosTokenId: 0 }));
    expect(steps).toEqual([
      { step: 0, ids: [4, 3], text: ['d', 'c'] },
      { step: 1, ids: [0, 4], text: ['', 'd'] },
      { step: 2, ids: [0, 0], text: ['', ''] },
    ]);
  });

  test('says what is wrong from the call itself', () => {
    const model = scriptedModel([1], 1, 4);
    expect(() => stream(model, [])).toThrow('stream: prompt must hold at least one token');
    expect(() => stream(model, [9])).toThrow('stream: token ids must be integers between 0 and 3');
    expect(() => stream(model, [1], { topK: 3 })).toThrow('stream: topK only has a meaning');
  });
});

describeBackends('stream', () => {
  test('gives what generate gives, and frees everything', async () => {
    const model = tinyModel();
    const before = tf.memory().numTensors;
    const { ids } = await generate(model, [1, 2, 3], { maxNewTokens: 8 });
    const steps = await all(stream(model, [1, 2, 3], { maxNewTokens: 8 }));
    expect(steps.map((step) => step.ids[0])).toEqual(ids[0].slice(3));
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  test('stops within one token of an abort and frees its cache', async () => {
    const model = tinyModel();
    const before = tf.memory().numTensors;
    const controller = new AbortController();
    let count = 0;
    for await (const { step } of stream(model, [1, 2, 3], { signal: controller.signal })) {
      count++;
      if (step === 2) controller.abort();
    }
    expect([count, tf.memory().numTensors]).toEqual([3, before]);

    // Aborted while the model is at work.
    const during = new AbortController();
    const steps = stream(model, [1, 2, 3], { signal: during.signal });
    await steps.next();
    const pending = steps.next();
    during.abort();
    expect((await pending).done).toBe(true);
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  test('two at once cannot share a cache', async () => {
    const model = tinyModel();
    const cache = createCache(model);
    const one = stream(model, [1, 2, 3], { cache });
    const two = stream(model, [1, 2, 3, 4], { cache });
    await one.next();
    await two.next();
    await expect(one.next()).rejects.toThrow(
      'stream: cache holds 4 tokens instead of 3: something else has used it meanwhile.',
    );
    cache.dispose();
    await expect(two.next()).rejects.toThrow('stream: cache is already disposed of');
    model.dispose();
  });

  test('break frees its cache; one that was handed in stays', async () => {
    const model = tinyModel();
    const before = tf.memory().numTensors;
    for await (const { step } of stream(model, [1, 2, 3])) if (step === 1) break;
    expect(tf.memory().numTensors).toBe(before);

    const cache = createCache(model);
    for await (const { step } of stream(model, [1, 2, 3], { cache })) if (step === 1) break;
    expect(cache.length).toBe(4);
    cache.dispose();
    expect(tf.memory().numTensors).toBe(before);
    stream(model, [1, 2, 3]); // never started: nothing to free
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });
});
