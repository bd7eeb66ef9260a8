/** Encoder–decoder generation: the encoder once, cached cross-attention, and the ids of the whole model fed anew. */
import * as tf from '@tensorflow/tfjs';
import { createCache, generate, stream, type GenerateOptions } from '../../src/generation/index.js';
import { seq2seq, type Seq2SeqOptions } from '../../src/models/seq2seq.js';
import { characters } from '../../src/tokenizers/characters.js';
import { describeBackends } from '../support/backends.js';
import { opinionated } from './tiny_models.js';

const [V, W] = [13, 11]; // ids of the source, and of what is written

function tiny(options: Partial<Seq2SeqOptions> = {}): tf.LayersModel {
  const model = seq2seq({
    vocabularySize: V,
    decoderVocabularySize: W,
    maxSequenceLength: 17,
    hiddenDim: 12,
    numLayers: 2,
    numHeads: 2,
    intermediateDim: 19,
    ...options,
  });
  return opinionated(model as unknown as tf.LayersModel);
}

/** Greedy ids by the whole model, fed everything anew for each token. */
function anew(model: tf.LayersModel, source: number[], steps: number): number[] {
  const ids = [1];
  for (let step = 0; step < steps; step++) {
    tf.tidy(() => {
      const feeds: Record<string, number[]> = {
        tokenIds: source,
        decoderTokenIds: ids,
        paddingMask: source.map(() => 1),
        decoderPositions: ids.map((_, i) => i),
      };
      const inputs = model.inputNames.map((name) => tf.tensor2d([feeds[name]], undefined, 'int32'));
      const logits = model.apply(inputs, { training: false }) as tf.Tensor3D;
      const last = tf.slice(logits, [0, ids.length - 1, 0], [1, 1, -1]);
      ids.push(tf.argMax(tf.reshape(last, [-1])).dataSync()[0]);
    });
  }
  return ids;
}

const sources = [
  [3, 4, 5, 6, 7, 8],
  [9, 10],
  [11, 3, 12, 2],
];
const kinds: [string, Partial<Seq2SeqOptions>][] = [
  ['learned positions', {}],
  ['rotary positions', { position: 'rotary' }],
  ['padId', { padId: 0 }],
  ['inputs', { inputs: ['tokenIds', 'decoderTokenIds', 'paddingMask', 'decoderPositions'] }],
];

describeBackends('encoder and decoder', () => {
  test.each(kinds)('greedy, cached or not, in a batch or alone: %s', async (_, kind) => {
    const model = tiny(kind);
    const before = tf.memory().numTensors;
    const options = { decoderStartTokenId: 1, maxNewTokens: 6 };
    const { ids } = await generate(model, sources, options);
    expect(ids).toEqual(sources.map((source) => anew(model, source, 6)));
    expect((await generate(model, sources, { ...options, useCache: false })).ids).toEqual(ids);
    expect((await generate(model, sources[1], options)).ids).toEqual([ids[1]]);
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  test('beams are the same by way of the cache', async () => {
    const model = tiny();
    const before = tf.memory().numTensors;
    const options: GenerateOptions = {
      ...{ decoderStartTokenId: 1, maxNewTokens: 6, eosTokenId: [2, 5] },
      ...{ numBeams: 3, numReturnSequences: 2, noRepeatNgramSize: 2, encoderNoRepeatNgramSize: 2 },
    };
    const got = await generate(model, sources, options);
    expect(got.ids).toHaveLength(6);
    expect((await generate(model, sources, { ...options, useCache: false })).ids).toEqual(got.ids);
    for (let b = 0; b < sources.length; b++) {
      expect((await generate(model, sources[b], options)).ids).toEqual(
        got.ids.slice(2 * b, 2 * b + 2),
      );
    }
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  test('several samples of a source, attention maps, and the end of a stream free everything', async () => {
    const model = tiny({ position: 'rotary' });
    const before = tf.memory().numTensors;
    const seen: string[][] = [];
    const steps = stream(model, sources, {
      ...{ decoderStartTokenId: 1, doSample: true, seed: 3, numReturnSequences: 2 },
      outputAttentions: true,
      onStep: ({ attentions, step }) => {
        seen.push([...attentions!.keys()]);
        for (const [path, map] of attentions!) {
          const S = path.includes('cross') ? 6 : step + 1;
          expect(map.shape).toEqual([step === 0 ? 3 : 6, 2, 1, S]);
        }
      },
    });
    for await (const { ids, step } of steps) {
      expect(ids).toHaveLength(6);
      if (step === 2) break;
    }
    expect(seen).toHaveLength(3);
    expect(seen[0]).toHaveLength(4);
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });
});

describe('what differs from continuing a prompt', () => {
  beforeAll(() => tf.setBackend('cpu'));
  const model = (): tf.LayersModel => tiny({ vocabularySize: 5, decoderVocabularySize: 4 });

  test('two tokenizers; the text has no start token', async () => {
    const sourceTokenizer = characters('abcde');
    const tokenizer = characters('wxyz');
    const options = { sourceTokenizer, tokenizer, decoderStartTokenId: 0, maxNewTokens: 3 };
    const { ids, text } = await generate(model(), ['abe', 'd'], options);
    expect(ids.map((row) => [row[0], row.length])).toEqual([
      [0, 4],
      [0, 4],
    ]);
    expect(text).toEqual(ids.map((row) => tokenizer.decode(row.slice(1))));
    const parts: string[] = [];
    for await (const step of stream(model(), 'abe', options)) parts.push(step.text!);
    expect(parts.join('')).toBe(text![0]);
  });

  test('what is wrong is said at once', async () => {
    const start = { decoderStartTokenId: 0 };
    const cases: [unknown, GenerateOptions, string][] = [
      [[1], {}, 'an encoder–decoder model needs the token that its rows start with'],
      [
        [1],
        { decoderStartTokenId: 4 },
        'decoderStartTokenId: token ids must be integers between 0',
      ],
      [[1, 5], start, 'token ids must be integers between 0 and 4, got 5'],
      [
        new Array(18).fill(1),
        start,
        'the encoder has learned positions for 17 tokens, got a prompt of 18. Shorten it.',
      ],
    ];
    for (const [prompt, options, message] of cases) {
      await expect(generate(model(), prompt as number[], options)).rejects.toThrow(
        `generate: ${message}`,
      );
    }
    expect(() => createCache(model())).toThrow(
      'createCache: what an encoder–decoder model caches belongs to one source',
    );
  });
});
