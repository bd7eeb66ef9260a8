/** How the model is fed: prompts in parts, several rows of one prompt, attention maps, and that others get their turn. */
import * as tf from '@tensorflow/tfjs';
import { createCache, generate, stream, type GenerateOptions } from '../../src/generation/index.js';
import { attentionScores } from '../../src/layers/attention_scores.js';
import type { CausalLMOptions } from '../../src/models/causal_lm.js';
import { describeBackends, useBackend } from '../support/backends.js';
import { expectClose } from '../support/expect_close.js';
import { fakeModel, tinyModel, V } from './tiny_models.js';

const near = { atol: 2e-4, rtol: 2e-4 };

/** Notes the shapes of the ids that a model is fed. */
function fedShapes(model: tf.LayersModel): number[][] {
  const shapes: number[][] = [];
  const apply = model.apply.bind(model);
  model.apply = ((inputs: tf.Tensor, kwargs: never) => {
    shapes.push(inputs.shape);
    return apply(inputs, kwargs);
  }) as never;
  return shapes;
}

describeBackends('a prompt in parts', () => {
  const prompts = [[1, 2, 3, 4, 5, 6, 7], [8], [9, 10, 11]];

  test.each([
    {},
    { position: 'rotary' },
    { position: 'alibi' },
    { position: 'rotary', window: 3 },
  ] as Partial<CausalLMOptions>[])('gives the scores of the whole: %j', async (kind) => {
    const model = tinyModel(kind);
    const before = tf.memory().numTensors;
    const run = async (options: GenerateOptions): Promise<[number[][], tf.Tensor2D[]]> => {
      const scores: tf.Tensor2D[] = [];
      const { ids } = await generate(model, prompts, {
        ...options,
        maxNewTokens: 3,
        onStep: (info) =>
          scores.push(
            tf.tensor2d(
              info.scores.map((row) => [...row]),
              [3, V],
            ),
          ),
      });
      return [ids, scores];
    };
    const [ids, scores] = await run({ prefillChunkSize: 7 });
    for (const prefillChunkSize of [1, 3, 6]) {
      const [partIds, partScores] = await run({ prefillChunkSize });
      expect(partIds).toEqual(ids);
      partScores.forEach((part, step) => expectClose(part, scores[step], near));
      tf.dispose(partScores);
    }
    tf.dispose(scores);
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  test('an abort between two parts frees everything, and leaves a cache that can be gone on from', async () => {
    const model = tinyModel();
    const before = tf.memory().numTensors;
    const cache = createCache(model);
    const controller = new AbortController();
    const apply = model.apply.bind(model);
    model.apply = ((inputs: tf.Tensor, kwargs: never) => {
      if (cache.length === 3) controller.abort();
      return apply(inputs, kwargs);
    }) as never;
    const options = { cache, prefillChunkSize: 3, maxNewTokens: 3 };
    const cut = await generate(model, prompts[0], { ...options, signal: controller.signal });
    expect([cut.ids, cache.length]).toEqual([[prompts[0]], 6]);
    expect(cache.tokens).toEqual([prompts[0].slice(0, 6)]);
    model.apply = apply;
    const whole = await generate(model, prompts[0], { maxNewTokens: 3 });
    expect(await generate(model, prompts[0], options)).toEqual(whole);
    cache.dispose();
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });
});

test('parts are of 512 tokens; all at once without a cache, and for attention maps', async () => {
  await useBackend('wasm');
  const model = tinyModel({ position: 'none', numLayers: 1, hiddenDim: 4 });
  const prompt = Array.from({ length: 600 }, (_, i) => i % V);
  const widths = async (options: GenerateOptions): Promise<number[]> => {
    const shapes = fedShapes(model);
    await generate(model, prompt, { maxNewTokens: 1, ...options });
    return shapes.map(([, T]) => T);
  };
  expect(await widths({})).toEqual([512, 88]);
  expect(await widths({ prefillChunkSize: 550 })).toEqual([550, 50]);
  expect(await widths({ useCache: false })).toEqual([600]);
  expect(await widths({ outputAttentions: true, onStep: () => undefined })).toEqual([600]);
  model.dispose();
});

describeBackends('attention maps', () => {
  test('are those of the plain model, and are freed', async () => {
    const model = tinyModel();
    const before = tf.memory().numTensors;
    const prompt = [1, 2, 3, 4];
    const maps: Map<string, tf.Tensor4D>[] = [];
    const { ids } = await generate(model, prompt, {
      maxNewTokens: 3,
      outputAttentions: true,
      onStep: ({ attentions }) => {
        maps.push(new Map([...attentions!].map(([path, map]) => [path, tf.keep(tf.clone(map))])));
      },
    });
    const input = tf.tensor2d([ids[0].slice(0, -1)], [1, 6], 'int32');
    const whole = attentionScores(model, input);
    expect([...maps[0].keys()]).toEqual([...whole.keys()]);
    tf.tidy(() => {
      for (const [path, map] of whole) {
        expectClose(maps[0].get(path)!, tf.slice(map, [0, 0, 0, 0], [1, 2, 4, 4]), near);
        expectClose(maps[1].get(path)!, tf.slice(map, [0, 0, 4, 0], [1, 2, 1, 5]), near);
        expectClose(maps[2].get(path)!, tf.slice(map, [0, 0, 5, 0], [1, 2, 1, 6]), near);
      }
    });
    [...maps, whole].forEach((each) => tf.dispose([...each.values()]));
    input.dispose();
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  test('a throw in onStep frees them and the cache', async () => {
    const model = tinyModel();
    const before = tf.memory().numTensors;
    const call = generate(model, [1, 2], {
      outputAttentions: true,
      onStep: async ({ step, attentions }) => {
        await Promise.resolve();
        expect([...attentions!.values()].every((map) => !map.isDisposed)).toBe(true);
        if (step === 1) throw new Error('enough');
      },
    });
    await expect(call).rejects.toThrow('enough');
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });
});

describeBackends('several rows of a prompt', () => {
  test('the prompt is fed once; rows are one after the other, and as if it had been given so often', async () => {
    const model = tinyModel();
    const before = tf.memory().numTensors;
    const options = { doSample: true, seed: 4, maxNewTokens: 5 };
    const often = [[1, 2, 3], [1, 2, 3], [1, 2, 3], [4], [4], [4]];
    const expected = await generate(model, often, options);
    const shapes = fedShapes(model);
    const prompts = [[1, 2, 3], [4]];
    const got = await generate(model, prompts, { ...options, numReturnSequences: 3 });
    expect(got).toEqual(expected);
    expect(shapes[0]).toEqual([2, 3]);
    expect(shapes[1]).toEqual([6, 1]);
    const uncached = { ...options, numReturnSequences: 3, useCache: false };
    expect(await generate(model, prompts, uncached)).toEqual(expected);

    const steps: number[][] = [];
    const streamed = stream(model, prompts, { ...options, numReturnSequences: 3 });
    for await (const { ids } of streamed) steps.push(ids);
    expect(steps.map((ids) => ids[4])).toEqual(expected.ids[4].slice(1));

    const cache = createCache(model);
    await generate(model, prompts, { ...options, numReturnSequences: 3, cache });
    expect([cache.batchSize, cache.length]).toEqual([2, 3]);
    cache.dispose();
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });
});

describe('others get their turn', () => {
  beforeAll(() => tf.setBackend('cpu'));
  const endless = (): tf.LayersModel => fakeModel(() => [0, 1], 2);

  test('a timer can abort generate and stream', async () => {
    for (const call of [
      (signal: AbortSignal) => generate(endless(), [0], { signal, maxNewTokens: 1e6 }),
      async (signal: AbortSignal) => {
        const ids = [[0]];
        const steps = stream(endless(), [0], { signal, maxNewTokens: 1e6 });
        for await (const step of steps) ids[0].push(step.ids[0]);
        return { ids };
      },
    ]) {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 30);
      const { ids } = await call(controller.signal);
      expect(ids[0].length).toBeGreaterThan(1);
      expect(ids[0].length).toBeLessThan(1e5);
    }
  });

  test('a timeout signal, too', async () => {
    const signal = AbortSignal.timeout(30);
    const { ids } = await generate(endless(), [0], { signal, maxNewTokens: 1e6, numBeams: 2 });
    expect(ids[0].length).toBeLessThan(1e5);
  });
});

describeBackends('nothing is left behind', () => {
  test('when the consumer of a stream throws, returns, or never comes back', async () => {
    const model = tinyModel();
    const before = tf.memory().numTensors;
    const consume = async (): Promise<void> => {
      for await (const { step } of stream(model, [1, 2, 3])) {
        if (step === 1) throw new Error('enough');
      }
    };
    await expect(consume()).rejects.toThrow('enough');
    expect(tf.memory().numTensors).toBe(before);

    const steps = stream(model, [1, 2, 3]);
    await steps.next();
    await steps.return(undefined);
    expect(tf.memory().numTensors).toBe(before);
    const failed = stream(model, [1, 2, 3]);
    await failed.next();
    await expect(failed.throw(new Error('outside'))).rejects.toThrow('outside');
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  test('when a processor throws, and when the signal was aborted before', async () => {
    const model = tinyModel();
    const before = tf.memory().numTensors;
    const call = generate(model, [1, 2], {
      logitsProcessors: [
        (scores, { ids }) => {
          if (ids.length === 4) throw new Error('no more');
          return scores;
        },
      ],
    });
    await expect(call).rejects.toThrow('no more');
    expect(tf.memory().numTensors).toBe(before);
    const { ids } = await generate(model, [1, 2], { signal: AbortSignal.abort() });
    expect([ids, tf.memory().numTensors]).toEqual([[[1, 2]], before]);
    model.dispose();
  });
});

describe('processors of the user', () => {
  beforeAll(() => tf.setBackend('cpu'));

  test('come after ours and before the filters, and see the sequence', async () => {
    const seen: unknown[] = [];
    const model = fakeModel(() => [4, 3, 2, 1, 0], 5);
    const { ids } = await generate(model, [[1, 1], [2]], {
      ...{ doSample: true, topK: 1, suppressTokens: [0], maxNewTokens: 2 },
      logitsProcessors: [
        (scores, sequence) => {
          seen.push({ ...sequence, best: scores[0], ids: [...sequence.ids] });
          return scores.map((score, id) => (id === sequence.promptIndex + 2 ? 9 : score));
        },
      ],
    });
    expect(ids).toEqual([
      [1, 1, 2, 2],
      [2, 3, 3],
    ]);
    expect(seen[3]).toEqual({
      ids: [2, 3],
      promptLength: 1,
      maxLength: 3,
      sourceIds: [2],
      promptIndex: 1,
      best: -Infinity,
    });
  });

  test('prefixAllowedTokensFn: only what it allows', async () => {
    const model = fakeModel(() => [4, 3, 2, 1, 0], 5);
    const { ids } = await generate(model, [[1], [2]], {
      maxNewTokens: 3,
      suppressTokens: [],
      prefixAllowedTokensFn: (promptIndex, row) => [promptIndex + 2, row.length],
    });
    expect(ids).toEqual([
      [1, 1, 2, 2],
      [2, 1, 2, 3],
    ]);
  });

  test('removeInvalidValues: NaN and infinities are numbers', async () => {
    const model = fakeModel(() => [NaN, -1, Infinity, -Infinity], 4);
    await expect(generate(model, [1])).rejects.toThrow('must not hold NaN or Infinity, got NaN');
    const { ids } = await generate(model, [1], { removeInvalidValues: true, maxNewTokens: 2 });
    expect(ids).toEqual([[1, 2, 2]]);
  });
});
