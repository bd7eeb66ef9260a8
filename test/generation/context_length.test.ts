import * as tf from '@tensorflow/tfjs';
import { ContextLengthError, generate, stream } from '../../src/generation/index.js';
import { contextLength } from '../../src/generation/context_length.js';
import { multiHeadAttention } from '../../src/layers/multi_head_attention.js';
import { tokenAndPositionEmbedding } from '../../src/layers/token_and_position_embedding.js';
import { describeBackends } from '../support/backends.js';
import { tinyModel, V } from './tiny_models.js';

describeBackends('past the context', () => {
  test('learned positions: up to the last, then an error that keeps what there is', async () => {
    const model = tinyModel({ maxSequenceLength: 7 });
    const before = tf.memory().numTensors;
    const { ids } = await generate(model, [1, 2, 3], { maxNewTokens: 4 });
    expect(ids[0]).toHaveLength(7);

    // Without an end token it is known at once.
    const early = await generate(model, [1, 2, 3], { maxNewTokens: 5 }).catch((e: unknown) => e);
    expect(early).toBeInstanceOf(ContextLengthError);
    expect((early as Error).message).toBe(
      'generate: the model has learned positions for 7 tokens, got a prompt of 3, which leaves room for 4; ' +
        '0 were generated (error.ids has them). Set maxNewTokens to at most 4, or shorten the prompt, ' +
        "or use a model with position: 'rotary'.",
    );

    // With one, when it gets there.
    const eosTokenId = [...Array(V).keys()].find((id) => !ids[0].includes(id))!;
    const late = await generate(model, [1, 2, 3], { eosTokenId }).catch((e: unknown) => e);
    expect(late).toMatchObject({ name: 'ContextLengthError', contextLength: 7, ids });
    expect((late as Error).message).toMatch(/4 were generated/);

    const streamed: number[] = [];
    await expect(
      (async () => {
        for await (const step of stream(model, [1, 2, 3])) streamed.push(step.ids[0]);
      })(),
    ).rejects.toThrow('stream: the model has learned positions for 7 tokens');
    expect(streamed).toEqual(ids[0].slice(3));
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  test('it is the row that counts, not its padding', async () => {
    const model = tinyModel({ maxSequenceLength: 7 });
    const { ids } = await generate(model, [[1, 2, 3, 4, 5], [6]], { maxLength: 7 });
    expect(ids.map((row) => row.length)).toEqual([7, 7]);
    expect(ids[1]).toEqual((await generate(model, [6], { maxLength: 7 })).ids[0]);
    model.dispose();
  });

  test('a prompt that leaves no room', async () => {
    const model = tinyModel({ maxSequenceLength: 3 });
    await expect(generate(model, [1, 2, 3], { eosTokenId: 1 })).rejects.toThrow(
      'got a prompt of 3, which leaves room for 0; 0 were generated (error.ids has them). Shorten the prompt,',
    );
    expect(() => stream(model, [1, 2, 3, 4])).toThrow('got a prompt of 4, which leaves room for 0');
    model.dispose();
  });

  test.each([
    { position: 'rotary' },
    { position: 'alibi' },
    { position: 'sine' },
    { position: 'none' },
    { position: 'rotary', window: 3 },
  ] as const)('goes on with %j', async (options) => {
    const model = tinyModel({ maxSequenceLength: 4, ...options });
    const { ids } = await generate(model, [1, 2, 3], { maxNewTokens: 9 });
    expect({ ids }).toEqual(await generate(model, [1, 2, 3], { maxNewTokens: 9, useCache: false }));
    expect(ids[0]).toHaveLength(12);
    model.dispose();
  });
});

test('contextLength finds the layer inside another', () => {
  const input = tf.input({ shape: [null], dtype: 'int32' });
  const embedding = tokenAndPositionEmbedding({
    vocabularySize: V,
    sequenceLength: 11,
    embeddingDim: 4,
  });
  const x = embedding.apply(input) as tf.SymbolicTensor;
  const attended = multiHeadAttention({ numHeads: 1, keyDim: 4, useCausalMask: true }).apply(x);
  const outputs = tf.layers.dense({ units: V }).apply(attended as tf.SymbolicTensor);
  const model = tf.model({ inputs: input, outputs: outputs as tf.SymbolicTensor });
  expect(contextLength(model)).toBe(11);
  expect(contextLength(tinyModel({ position: 'alibi' }))).toBe(Infinity);
});
