import * as tf from '@tensorflow/tfjs';
import { createCache, generate, type GenerateOptions } from '../../src/generation/index.js';
import type { CausalLMOptions } from '../../src/models/causal_lm.js';
import { characters } from '../../src/tokenizers/characters.js';
import { describeBackends } from '../support/backends.js';
import { expectClose } from '../support/expect_close.js';
import { expectScores, near, recorded } from './recorded_scores.js';
import { fakeModel, plainLogits, scriptedModel, tinyModel, V } from './tiny_models.js';

describe('the loop', () => {
  beforeAll(() => tf.setBackend('cpu'));

  test('twenty tokens unless told otherwise', async () => {
    const model = scriptedModel([3, 1, 2], 2, 5);
    const { ids, ...rest } = await generate(model, [4, 4]);
    expect(ids).toEqual([[4, 4, 3, 1, ...new Array<number>(18).fill(2)]]);
    expect(rest).toEqual({});
    expect(model.calls).toHaveLength(20);
    expect(model.calls[0].kwargs).toEqual({ training: false, lastPositionOnly: true });
  });

  test('stops at an end token, which is part of the row', async () => {
    const model = scriptedModel([3, 1, 2, 4], 1, 5);
    expect((await generate(model, [0], { eosTokenId: 2 })).ids).toEqual([[0, 3, 1, 2]]);
    expect((await generate(model, [0], { eosTokenId: [4, 1] })).ids).toEqual([[0, 3, 1]]);
    expect((await generate(model, [0], { eosTokenId: 0, maxLength: 4 })).ids).toEqual([
      [0, 3, 1, 2],
    ]);
  });

  test('an end token in the prompt does not stop', async () => {
    const model = scriptedModel([3, 2], 2, 5);
    expect((await generate(model, [2, 2], { eosTokenId: 2 })).ids).toEqual([[2, 2, 3, 2]]);
  });

  test('no end token before minNewTokens or minLength', async () => {
    const model = fakeModel(() => [0, 3, 2], 3);
    const run = async (options: GenerateOptions): Promise<number[]> =>
      (await generate(model, [0, 0], { eosTokenId: 1, maxNewTokens: 5, ...options })).ids[0];
    expect(await run({})).toEqual([0, 0, 1]);
    expect(await run({ minNewTokens: 2 })).toEqual([0, 0, 2, 2, 1]);
    expect(await run({ minLength: 3 })).toEqual([0, 0, 2, 1]);
  });

  test('of equal scores the lowest id is taken', async () => {
    const model = fakeModel(() => [0, 1, 1, 1], 4);
    expect((await generate(model, [0], { maxNewTokens: 2 })).ids).toEqual([[0, 1, 1]]);
    const suppressed = await generate(model, [0], { maxNewTokens: 2, suppressTokens: [1] });
    expect(suppressed.ids).toEqual([[0, 2, 2]]);
  });

  test('processors see the row, not the padding', async () => {
    const seen: number[][] = [];
    const model = fakeModel((ids) => {
      seen.push(ids);
      return [4, 3, 2, 1];
    }, 4);
    const options = { maxNewTokens: 3, noRepeatNgramSize: 1, padTokenId: 0 };
    expect((await generate(model, [[1], [1, 2, 3], [3, 1]].slice(0, 1), options)).ids).toEqual([
      [1, 0, 2, 3],
    ]);
    expect((await generate(model, [[1], [3, 2]], { ...options, maxNewTokens: 2 })).ids).toEqual([
      [1, 0, 2],
      [3, 2, 0, 1],
    ]);
    expect(seen.slice(3, 5)).toEqual([
      [0, 1],
      [3, 2],
    ]);
  });

  test('finished rows stop growing, and are padded while others go on', async () => {
    // A row counts up from its last id; 7 is the end.
    const model = fakeModel((ids) => one((ids[ids.length - 1] + 1) % 8, 8), 8);
    const { ids } = await generate(model, [[5], [1, 2], [6]], { eosTokenId: 7, padTokenId: 3 });
    expect(ids).toEqual([
      [5, 6, 7],
      [1, 2, 3, 4, 5, 6, 7],
      [6, 7],
    ]);
    expect(model.calls).toHaveLength(5);
    expect(model.calls[3].ids).toEqual([
      [3, 5, 6, 7, 3],
      [1, 2, 3, 4, 5],
      [3, 6, 7, 3, 3],
    ]);
  });

  test('each row has its own budget', async () => {
    const model = fakeModel(() => [0, 1], 2);
    const prompts = [[0], [0, 0, 0]];
    const lengths = async (options: GenerateOptions): Promise<number[]> =>
      (await generate(model, prompts, options)).ids.map((row) => row.length);
    expect(await lengths({ maxNewTokens: 2 })).toEqual([3, 5]);
    expect(await lengths({ maxLength: 4 })).toEqual([4, 4]);
  });

  test('text in, text out; one for one, several for several', async () => {
    const tokenizer = characters('abc', { special: ['<end>'] });
    const model = scriptedModel([2, 3, 0], 2, 4);
    const one = await generate(model, 'ab', { tokenizer, eosTokenId: 0 });
    expect(one).toEqual({ ids: [[1, 2, 2, 3, 0]], text: 'abbc' });
    const two = await generate(model, ['ab', 'ca'], { tokenizer, maxNewTokens: 1 });
    expect(two.text).toEqual(['abb', 'cab']);
    expect((await generate(model, [1, 2], { tokenizer, maxNewTokens: 1 })).text).toBe('abb');
    expect((await generate(model, [[1, 2]], { tokenizer, maxNewTokens: 1 })).text).toEqual(['abb']);
    const typed = await generate(model, Int32Array.of(1, 2), { maxNewTokens: 1 });
    expect(typed.ids).toEqual([[1, 2, 2]]);
  });

  test('the prompt that was given is not changed', async () => {
    const prompt = [[1], [2, 3]];
    await generate(scriptedModel([1], 1, 4), prompt, { maxNewTokens: 3 });
    expect(prompt).toEqual([[1], [2, 3]]);
  });

  test('logits of the whole row are accepted as those of the last place', async () => {
    const model = fakeModel(() => [0], 3);
    model.apply = ((ids: tf.Tensor2D) =>
      tf.oneHot(tf.cast(tf.mod(tf.add(ids, 1), 3), 'int32'), 3, 1, 0, 'float32')) as never;
    expect((await generate(model, [0, 1], { maxNewTokens: 3 })).ids).toEqual([[0, 1, 2, 0, 1]]);
  });

  test('an aborted signal gives what there is', async () => {
    const model = scriptedModel([1, 2], 1, 4);
    const controller = new AbortController();
    const { ids } = await generate(model, [0], {
      signal: controller.signal,
      onStep: ({ step }) => step === 2 && controller.abort(),
    });
    expect(ids).toEqual([[0, 1, 2, 2]]);
    expect((await generate(model, [0], { signal: AbortSignal.abort() })).ids).toEqual([[0]]);
  });
});

const kinds: [string, Partial<CausalLMOptions>][] = [
  ['learned positions', {}],
  ['sine positions', { position: 'sine' }],
  ['rotary positions', { position: 'rotary' }],
  ['ALiBi', { position: 'alibi' }],
  ['a window', { position: 'rotary', window: 3 }],
  ['padId', { padId: 12 }],
  ['mask and positions as inputs', { inputs: ['tokenIds', 'paddingMask', 'positions'] }],
  [
    'all inputs, in another order',
    {
      inputs: ['segmentIds', 'positions', 'tokenIds', 'tokenTypeIds', 'paddingMask'],
      position: 'rotary',
    },
  ],
];
const prompts = [
  [1, 2, 3, 4, 5, 6],
  [7, 8],
  [9, 10, 11, 2],
];

describeBackends('generate', () => {
  test.each(kinds)('rows of a batch are what they are alone, with %s', async (_, options) => {
    const model = tinyModel(options);
    const before = tf.memory().numTensors;
    const settings = { maxNewTokens: 4, suppressTokens: [12] };
    const batch = await recorded(model, prompts, { ...settings, padTokenId: 12 });
    const uncached = await recorded(model, prompts, {
      ...settings,
      padTokenId: 12,
      useCache: false,
    });
    for (let b = 0; b < prompts.length; b++) {
      const alone = await recorded(model, [prompts[b]], settings);
      expect(batch.ids[b]).toEqual(alone.ids[0]);
      expect(uncached.ids[b]).toEqual(alone.ids[0]);
      alone.scores.forEach(([row], step) => {
        expectScores(batch.scores[step][b], row);
        expectScores(uncached.scores[step][b], row);
      });
    }
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  test.each([
    ['learned positions', {}],
    ['rotary positions', { position: 'rotary' }],
  ] as const)('scores are the logits of the plain model, with %s', async (_, options) => {
    const model = tinyModel(options);
    const { ids, scores } = await recorded(model, [prompts[0]], { maxNewTokens: 9 });
    tf.tidy(() => {
      const logits = plainLogits(model, [ids[0].slice(0, -1)]);
      const got = tf.tensor2d(
        scores.map(([row]) => [...row]),
        [9, V],
      );
      expectClose(got, tf.reshape(tf.slice(logits, [0, 5, 0], [1, 9, V]), [9, V]), near);
    });
    model.dispose();
  });

  test('a finished row with positions of its own stays within the learned ones', async () => {
    // The long row ends at once; the short one goes on to the last position.
    const model = tinyModel({ maxSequenceLength: 9 });
    const long = [1, 2, 3, 4, 5, 6];
    const first = (await generate(model, long, { maxNewTokens: 1 })).ids[0][6];
    const options = { suppressTokens: [], eosTokenId: first, minNewTokens: 0, maxLength: 9 };
    const { ids } = await generate(model, [long, [7]], options);
    expect(ids[0]).toEqual([...long, first]);
    expect(ids[1]).toEqual((await generate(model, [7], options)).ids[0]);
    model.dispose();
  });

  test('a loaded model generates the same', async () => {
    const model = tinyModel({ position: 'rotary' });
    let artifacts: tf.io.ModelArtifacts | undefined;
    await model.save(
      tf.io.withSaveHandler(async (given) => {
        artifacts = given;
        return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
      }),
    );
    const loaded = await tf.loadLayersModel(tf.io.fromMemory(artifacts!));
    const options = { maxNewTokens: 9, doSample: true, seed: 5, topP: 0.9 };
    const expected = await generate(model, prompts, options);
    const before = tf.memory().numTensors;
    const cache = createCache(loaded);
    expect(await generate(loaded, prompts, { ...options, cache })).toEqual(expected);
    expect(cache.length).toBe(6 + 9 - 1);
    cache.dispose();
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
    loaded.dispose();
  });
});

function one(id: number, size: number): number[] {
  return Array.from({ length: size }, (_, i) => (i === id ? 1 : 0));
}
