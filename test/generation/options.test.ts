/** Bad input: each a clear error from the call that the user made, before anything is computed. */
import * as tf from '@tensorflow/tfjs';
import { createCache, generate, type GenerateOptions } from '../../src/generation/index.js';
import { bytes } from '../../src/tokenizers/bytes.js';
import { fakeModel, tinyModel } from './tiny_models.js';

beforeAll(() => tf.setBackend('cpu'));

const model = fakeModel(() => [1, 2, 3, 4, 5], 5);
const sampling = { doSample: true };

const wrong: [GenerateOptions | Record<string, unknown>, string][] = [
  [{ top_k: 3 }, "unknown option 'top_k'. Did you mean 'topK'?"],
  [{ beams: 2 }, "unknown option 'beams'. Known options: tokenizer, sourceTokenizer, maxNewTokens"],
  [{ doSample: 1 }, 'doSample must be true or false, got doSample=1.'],
  [
    { temperature: 0.7 },
    'temperature only has a meaning when sampling, got temperature=0.7 without doSample.',
  ],
  [{ temperature: 1 }, 'temperature only has a meaning when sampling'],
  [
    { topK: 5, doSample: false },
    'topK only has a meaning when sampling, got topK=5 without doSample.',
  ],
  [{ topP: 0.9 }, 'topP only has a meaning when sampling'],
  [{ minP: 0.1 }, 'minP only has a meaning when sampling'],
  [{ typicalP: 0.9 }, 'typicalP only has a meaning when sampling'],
  [{ etaCutoff: 0.1 }, 'etaCutoff only has a meaning when sampling'],
  [{ minTokensToKeep: 2 }, 'minTokensToKeep only has a meaning when sampling'],
  [
    { lengthPenalty: 2 },
    'lengthPenalty only has a meaning with beams, got lengthPenalty=2 without numBeams. Set numBeams to at least 2,',
  ],
  [{ earlyStopping: true }, 'earlyStopping only has a meaning with beams'],
  [
    { numBeams: 2, earlyStopping: 'maybe' },
    "earlyStopping must be true, false or 'never', got earlyStopping='maybe'.",
  ],
  [{ numBeams: 0 }, 'numBeams must be an integer of at least 1, got numBeams=0.'],
  [
    { numBeams: 2, numReturnSequences: 3 },
    'numReturnSequences must be at most numBeams, got numReturnSequences=3, numBeams=2.',
  ],
  [
    { numReturnSequences: 2 },
    'without sampling and beams all rows of a prompt are the same, got numReturnSequences=2. Set doSample: true,',
  ],
  [{ ...sampling, typicalP: 0 }, 'typicalP must be above 0 and at most 1, got typicalP=0.'],
  [{ ...sampling, topH: 1.5 }, 'topH must be above 0 and at most 1, got topH=1.5.'],
  [{ ...sampling, epsilonCutoff: 2 }, 'epsilonCutoff must be a finite number between 0 and 1,'],
  [{ encoderRepetitionPenalty: 0 }, 'encoderRepetitionPenalty must be above 0, got'],
  [
    { exponentialDecayLengthPenalty: [2, 1.5] },
    'exponentialDecayLengthPenalty needs an end token. Give eosTokenId.',
  ],
  [
    { exponentialDecayLengthPenalty: [2], eosTokenId: 1 },
    'exponentialDecayLengthPenalty must be [number of tokens, factor above 0], got exponentialDecayLengthPenalty=[2].',
  ],
  [{ badWordsIds: [[]] }, 'badWordsIds must hold runs of at least one token id, got [].'],
  [{ badWordsIds: [3] }, 'badWordsIds must hold runs of at least one token id, got 3.'],
  [{ sequenceBias: [[[7], 1]] }, 'sequenceBias: token ids must be integers between 0 and 4, got 7'],
  [{ sequenceBias: [[[1], NaN]] }, 'sequenceBias must be a finite number, got sequenceBias=NaN.'],
  [
    { logitsProcessors: [3] },
    'logitsProcessors must be an array of functions (scores, sequence) → scores, got logitsProcessors=[3].',
  ],
  [
    { logitsProcessors: [() => undefined] },
    'a logits processor must return a Float32Array of 5 scores, got undefined.',
  ],
  [
    { prefixAllowedTokensFn: 3 },
    'prefixAllowedTokensFn must be a function, got prefixAllowedTokensFn=3.',
  ],
  [{ onStep: true }, 'onStep must be a function, got onStep=true.'],
  [{ outputAttentions: true }, 'outputAttentions hands attention maps to onStep, which is not'],
  [{ prefillChunkSize: 0 }, 'prefillChunkSize must be an integer of at least 1,'],
  [{ decoderStartTokenId: 1 }, 'decoderStartTokenId is for encoder–decoder models. Leave it out.'],
  [{ ...sampling, temperature: NaN }, 'temperature must be a finite number, got temperature=NaN.'],
  [
    { ...sampling, temperature: Infinity },
    'temperature must be a finite number, got temperature=Infinity.',
  ],
  [
    { ...sampling, temperature: 0 },
    'temperature must be above 0, got temperature=0. For the most likely token: doSample: false.',
  ],
  [{ ...sampling, temperature: -1 }, 'temperature must be above 0, got temperature=-1.'],
  [{ ...sampling, temperature: '1' }, "temperature must be a finite number, got temperature='1'."],
  [{ ...sampling, topK: 0 }, 'topK must be an integer of at least 1, got topK=0.'],
  [{ ...sampling, topK: 2.5 }, 'topK must be an integer of at least 1, got topK=2.5.'],
  [{ ...sampling, topP: 0 }, 'topP must be above 0 and at most 1, got topP=0.'],
  [{ ...sampling, topP: 1.1 }, 'topP must be above 0 and at most 1, got topP=1.1.'],
  [{ ...sampling, topP: NaN }, 'topP must be a finite number, got topP=NaN.'],
  [{ ...sampling, minP: -0.1 }, 'minP must be a finite number between 0 and 1, got minP=-0.1.'],
  [
    { ...sampling, seed: -1 },
    'seed must be an integer between 0 and 9007199254740991, got seed=-1.',
  ],
  [{ ...sampling, seed: 0.5 }, 'seed must be an integer'],
  [{ maxNewTokens: 0 }, 'maxNewTokens must be an integer of at least 1, got maxNewTokens=0.'],
  [
    { maxLength: 2 },
    'maxLength counts the prompt and must be longer, got maxLength=2, prompt length=2.',
  ],
  [{ maxLength: 9, maxNewTokens: 3 }, 'maxNewTokens and maxLength are both given.'],
  [{ minNewTokens: 30 }, 'minNewTokens must be at most maxNewTokens, got 30 and 20.'],
  [{ repetitionPenalty: 0 }, 'repetitionPenalty must be above 0, got repetitionPenalty=0.'],
  [
    { noRepeatNgramSize: -1 },
    'noRepeatNgramSize must be an integer of at least 0, got noRepeatNgramSize=-1.',
  ],
  [
    { eosTokenId: 5 },
    'eosTokenId: token ids must be integers between 0 and 4, got 5 at position 0.',
  ],
  [
    { padTokenId: -1 },
    'padTokenId: token ids must be integers between 0 and 4, got -1 at position 0.',
  ],
  [
    { suppressTokens: [1, 9] },
    'suppressTokens: token ids must be integers between 0 and 4, got 9 at position 1.',
  ],
  [{ suppressTokens: [0, 1, 2, 3, 4] }, 'the options remove every token at row 0, step 0.'],
  [{ cache: {} }, 'cache must come from createCache, got cache={}.'],
  [{ tokenizer: 'bytes' }, "tokenizer must be a tokenizer, got tokenizer='bytes'."],
];

test.each(wrong)('%j', async (options, message) => {
  await expect(generate(model, [1, 2], options as GenerateOptions)).rejects.toThrow(
    `generate: ${message}`,
  );
});

const prompts: [unknown, string][] = [
  ['', 'prompt must hold at least one token, got an empty one. To start from nothing,'],
  [[], 'prompt must hold at least one token, got an empty one.'],
  [[[1], []], 'prompt must hold at least one token, got an empty one at row 1.'],
  [[1, 5], 'token ids must be integers between 0 and 4, got 5 at position 1.'],
  [[[1], [2, -1]], 'token ids must be integers between 0 and 4, got -1 at row 1, position 1.'],
  [[0.5], 'token ids must be integers between 0 and 4, got 0.5 at position 0.'],
  [[1, '2'], "token ids must be integers between 0 and 4, got '2' at position 1."],
  ['a', 'token ids must be integers between 0 and 4, got 97 at position 0.'],
  [7, 'prompt must be a string, an array of ids, or an array of these, got prompt=7.'],
  [undefined, 'prompt must be a string'],
  [[[1], 2], 'a prompt must be a string or an array of ids, got 2 at row 1.'],
];

test.each(prompts)('prompt %j', async (prompt, message) => {
  const call = generate(model, prompt as number[], { tokenizer: bytes() });
  await expect(call).rejects.toThrow(`generate: ${message}`);
});

test('a prompt of text needs a tokenizer', async () => {
  await expect(generate(model, 'a')).rejects.toThrow(
    'generate: a prompt of text needs a tokenizer, got tokenizer=undefined. Give { tokenizer }, or token ids.',
  );
});

test('models that cannot be fed or read', async () => {
  const like = (parts: object): tf.LayersModel =>
    Object.assign(Object.create(model), parts) as tf.LayersModel;
  const cases: [tf.LayersModel, string][] = [
    [{} as tf.LayersModel, 'model must be a tf.LayersModel that has been built, got model={}.'],
    [tf.sequential(), 'model must be a tf.LayersModel that has been built'],
    [
      like({ inputs: [{ name: 'tokenIds' }, { name: 'image' }] }),
      "cannot feed the model's input 'image'. Known inputs: tokenIds, paddingMask, positions,",
    ],
    [
      like({ inputs: [{ name: 'positions' }, { name: 'paddingMask' }] }),
      "the model must have an input 'tokenIds', got inputs positions, paddingMask.",
    ],
    [
      like({ outputs: [{ shape: [null, 5] }] }),
      'the model must have one output, logits [B,T,V], got shape=[null,5].',
    ],
    [
      like({ outputs: [model.outputs[0], model.outputs[0]] }),
      'the model must have one output, logits [B,T,V], got 2 outputs.',
    ],
    [
      like({ apply: () => tf.zeros([1, 5]) }),
      'the model must return logits [1,2,V], got shape=[1,5].',
    ],
    [
      like({ apply: () => tf.tensor3d([[[1, 2, NaN, 4, 5]]]) }),
      "the model's logits must not hold NaN or Infinity, got NaN at row 0, step 0.",
    ],
  ];
  for (const [bad, message] of cases) {
    await expect(generate(bad, [1, 2])).rejects.toThrow(`generate: ${message}`);
  }
});

test('caches that do not fit', async () => {
  const one = tinyModel();
  const two = tinyModel();
  const cache = createCache(one);
  const rejects = (call: Promise<unknown>, message: string): Promise<void> =>
    expect(call).rejects.toThrow(`generate: ${message}`);
  await rejects(generate(two, [1], { cache }), 'cache was made for another model.');
  await rejects(generate(model, [1], { cache }), 'cache was made for another model.');
  await rejects(
    generate(one, [1], { cache, useCache: false }),
    'a cache is given, but useCache=false.',
  );
  await generate(one, [[1], [2]], { cache, maxNewTokens: 2 });
  await rejects(generate(one, [1, 2], { cache }), 'cache holds 2 rows, got 1 prompts.');
  cache.trim(0);
  tf.tidy(
    () => void one.apply(tf.tensor2d([[1, 2]], undefined, 'int32'), { cache, training: false }),
  );
  await rejects(
    generate(one, [1, 2, 3], { cache }),
    'cache holds 2 tokens of which 0 came from generate',
  );
  cache.dispose();
  await rejects(generate(one, [1], { cache }), 'cache is already disposed of.');
});
