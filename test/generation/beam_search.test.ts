/** Beam search against transformers under many settings, and what it promises beside: independence, aborting, no leaks. */
import * as tf from '@tensorflow/tfjs';
import { createCache, generate, stream, type GenerateOptions } from '../../src/generation/index.js';
import { describeBackends, useBackend } from '../support/backends.js';
import { readFixtureFile } from '../support/fixture_files.js';
import { camelCaseKeys } from '../support/keras_case.js';
import { causalCheckpoint } from '../support/huggingface.js';
import { chiSquare } from './chi_square.js';
import { fakeModel, tinyModel } from './tiny_models.js';

interface BeamCase {
  checkpoint: string;
  options: Record<string, unknown>;
  prompts: number[][];
  ids: number[][];
  scores: number[];
}

const cases = (
  JSON.parse(new TextDecoder().decode(readFixtureFile('generation/cases.json'))) as {
    beams: BeamCase[];
  }
).beams;

describe('transformers finds the same rows', () => {
  let models: Record<string, tf.LayersModel> = {};
  beforeAll(async () => {
    await useBackend('wasm'); // several times as fast as cpu
    models = { gpt2: causalCheckpoint('gpt2'), llama_bias: causalCheckpoint('llama_bias') };
  });
  afterAll(() => Object.values(models).forEach((model) => model.dispose()));

  test('there are enough cases', () => expect(cases).toHaveLength(68));

  test.each(cases)('$checkpoint, $options', async (c) => {
    const options = camelCaseKeys(c.options) as GenerateOptions;
    const got = await generate(models[c.checkpoint], c.prompts, { ...options, padTokenId: 0 });
    expect(got.ids).toEqual(c.ids);
    got.sequencesScores!.forEach((score, i) =>
      expect(Math.abs(score - c.scores[i])).toBeLessThan(1e-4 * Math.max(1, Math.abs(c.scores[i]))),
    );
  });
});

describe('on paper', () => {
  beforeAll(() => tf.setBackend('cpu'));
  const log = (...p: number[]): number[] => p.map(Math.log);
  // Greedy takes 1 (0.6) and then at best 0.55; 2 (0.4) is followed by 3 with certainty.
  const model = fakeModel((ids) => {
    const last = ids[ids.length - 1];
    if (last === 0) return log(1e-9, 0.6, 0.4 - 2e-9, 1e-9);
    return last === 1 ? log(1e-9, 0.45, 0.55 - 2e-9, 1e-9) : log(1e-9, 1e-9, 1e-9, 1 - 3e-9);
  }, 4);

  test('finds the row that greedy misses', async () => {
    expect((await generate(model, [0], { maxNewTokens: 2 })).ids).toEqual([[0, 1, 2]]);
    const { ids, sequencesScores } = await generate(model, [0], {
      maxNewTokens: 2,
      numBeams: 2,
      numReturnSequences: 2,
    });
    expect(ids).toEqual([
      [0, 2, 3],
      [0, 1, 2],
    ]);
    expect(sequencesScores![0]).toBeCloseTo(Math.log(0.4) / 2, 5);
    expect(sequencesScores![1]).toBeCloseTo(Math.log(0.6 * 0.55) / 2, 5);
  });

  test('with as many beams as rows it is an exhaustive search', async () => {
    const logits = (ids: number[]): number[] =>
      [0, 1, 2].map((b) => Math.sin(7 * ids[ids.length - 1] + 3 * b + 5 * ids.length));
    const any = fakeModel(logits, 3);
    const total = (ids: number[]): number =>
      ids.slice(1).reduce((sum, id, i) => {
        const row = logits(ids.slice(0, i + 1));
        return sum + row[id] - Math.log(row.reduce((s, x) => s + Math.exp(x), 0));
      }, 0);
    const all = [0, 1, 2].flatMap((a) =>
      [0, 1, 2].flatMap((b) => [0, 1, 2].map((c) => [1, a, b, c])),
    );
    const best = all.sort((a, b) => total(b) - total(a));
    const { ids } = await generate(any, [1], {
      maxNewTokens: 3,
      numBeams: 27,
      numReturnSequences: 27,
    });
    expect(ids).toEqual(best);
  });

  test('processors come after the log-softmax and before the sums', async () => {
    const seen: number[] = [];
    const { sequencesScores } = await generate(model, [0], {
      numBeams: 2,
      maxNewTokens: 1,
      logitsProcessors: [
        (scores) => {
          seen.push([...scores].reduce((sum, x) => sum + Math.exp(x), 0));
          return scores.map((score, id) => (id === 1 ? -5 : score));
        },
      ],
    });
    expect(seen).toEqual([expect.closeTo(1, 5)]);
    expect(sequencesScores![0]).toBeCloseTo(Math.log(0.4), 5);
  });

  test('options that leave too little', async () => {
    const call = (options: GenerateOptions) => generate(model, [0], { numBeams: 3, ...options });
    await expect(call({ maxNewTokens: 1, suppressTokens: [0, 1, 2, 3] })).rejects.toThrow(
      'generate: the options remove every token at row 0, step 0.',
    );
    await expect(
      call({ maxNewTokens: 1, suppressTokens: [0, 1], numReturnSequences: 3 }),
    ).rejects.toThrow('generate: the options leave only 2 different rows for prompt 0,');
    expect(() => stream(model, [0], { numBeams: 2 })).toThrow(
      'stream: a beam search knows its rows at the end only, got numBeams=2. Use generate.',
    );
  });

  test('onStep sees the beams that go on; an aborted search gives the best there is', async () => {
    const controller = new AbortController();
    const steps: (readonly number[])[] = [];
    const { ids } = await generate(model, [[0], [2]], {
      numBeams: 2,
      signal: controller.signal,
      onStep: ({ step, ids, scores }) => {
        steps.push(ids);
        expect(scores).toHaveLength(step === 0 ? 2 : 4);
        if (step === 1) controller.abort();
      },
    });
    expect(steps).toHaveLength(2);
    expect(steps[0].slice(0, 2)).toEqual([1, 2]);
    expect(ids).toEqual([
      [0, 2, 3],
      [2, 3, 3],
    ]);
    const none = await generate(model, [0], { numBeams: 2, signal: AbortSignal.abort() });
    expect(none.ids).toEqual([[0]]);
  });
});

describe('beam sampling', () => {
  beforeAll(() => tf.setBackend('cpu'));
  const p = [0.5, 0.25, 0.15, 0.1];
  const model = fakeModel(() => p.map(Math.log), 4);

  test('repeats with a seed; a prompt does not depend on the others', async () => {
    const run = async (prompts: number[][], seed: number): Promise<number[][]> =>
      (await generate(model, prompts, { numBeams: 2, doSample: true, seed, maxNewTokens: 6 })).ids;
    const three = await run([[0], [0], [1]], 5);
    expect(await run([[0], [0], [1]], 5)).toEqual(three);
    expect(await run([[0]], 5)).toEqual(three.slice(0, 1));
    expect(await run([[0], [0], [1]], 6)).not.toEqual(three);
  });

  test('draws without putting back: 2,000 pairs, chi-square, p > 1e-4', async () => {
    // The four drawn of four are all of them; the first two that finish are those drawn first.
    const prompts = Array.from({ length: 2000 }, () => [0]);
    const { ids } = await generate(model, prompts, {
      ...{ numBeams: 2, numReturnSequences: 2, doSample: true, seed: 8, maxNewTokens: 1 },
    });
    const counts = new Array<number>(16).fill(0);
    for (let b = 0; b < prompts.length; b++) {
      const pair = [ids[2 * b][1], ids[2 * b + 1][1]].sort();
      counts[4 * pair[0] + pair[1]]++;
    }
    const expected = counts.map((_, i) => {
      const [a, b] = [p[Math.floor(i / 4)], p[i % 4]];
      return Math.floor(i / 4) < i % 4 ? a * b * (1 / (1 - a) + 1 / (1 - b)) : 0;
    });
    const kept = expected.flatMap((share, i) => (share > 0 ? [i] : []));
    expect(kept).toHaveLength(6);
    expect(
      chiSquare(
        kept.map((i) => counts[i]),
        kept.map((i) => expected[i]),
      ),
    ).toBeLessThan(25.745); // 5 degrees of freedom
  });
});

describeBackends('beams by way of the cache', () => {
  test.each([{}, { position: 'rotary', window: 3 }, { position: 'alibi' }] as const)(
    'are those without it, rows of a batch those alone: %j',
    async (kind) => {
      const model = tinyModel(kind);
      const before = tf.memory().numTensors;
      const prompts = [[1, 2, 3, 4], [5], [6, 7]];
      const options = {
        numBeams: 3,
        numReturnSequences: 2,
        maxNewTokens: 5,
        eosTokenId: [3, 8],
        noRepeatNgramSize: 2,
      };
      const { ids } = await generate(model, prompts, options);
      expect((await generate(model, prompts, { ...options, useCache: false })).ids).toEqual(ids);
      for (let b = 0; b < prompts.length; b++) {
        const alone = await generate(model, prompts[b], options);
        expect(alone.ids).toEqual(ids.slice(2 * b, 2 * b + 2));
      }
      expect(tf.memory().numTensors).toBe(before);
      model.dispose();
    },
  );

  test('a cache that was handed in keeps the prompt and gives the same', async () => {
    const model = tinyModel();
    const options = { numBeams: 3, maxNewTokens: 4 };
    const expected = await generate(model, [1, 2, 3], options);
    const before = tf.memory().numTensors;
    const cache = createCache(model);
    for (let time = 0; time < 2; time++) {
      const got = await generate(model, [1, 2, 3], { ...options, cache });
      expect(got.ids).toEqual(expected.ids);
      expect(got.sequencesScores![0]).toBeCloseTo(expected.sequencesScores![0], 4);
      expect(cache.tokens).toEqual([[1, 2, 3]]);
    }
    cache.dispose();
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  test('an abort and a throw free everything', async () => {
    const model = tinyModel();
    const before = tf.memory().numTensors;
    const controller = new AbortController();
    const { ids } = await generate(model, [1, 2], {
      numBeams: 2,
      signal: controller.signal,
      onStep: ({ step }) => step === 2 && controller.abort(),
    });
    expect(ids[0]).toHaveLength(5);
    const thrown = generate(model, [1, 2], {
      numBeams: 2,
      onStep: ({ step }) => {
        if (step === 2) throw new Error('enough');
      },
    });
    await expect(thrown).rejects.toThrow('enough');
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });
});
