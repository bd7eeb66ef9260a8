import * as tf from '@tensorflow/tfjs';
import { KVCache } from '../../src/cache/kv_cache.js';
import { attentionScores } from '../../src/layers/attention_scores.js';
import { causalLM, type CausalLMOptions } from '../../src/models/causal_lm.js';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';
import { saveAndLoad } from '../support/save_and_load.js';

const [V, D, T] = [17, 12, 7];
const base: CausalLMOptions = {
  vocabularySize: V,
  maxSequenceLength: 11,
  hiddenDim: D,
  numLayers: 2,
  numHeads: 3,
  seed: 5,
};
const llama: CausalLMOptions = {
  ...base,
  numHeads: 6,
  numKeyValueHeads: 2,
  headDim: 4,
  intermediateDim: 19,
  position: 'rotary',
  rotary: { maxWavelength: 500 },
  normalization: 'rms',
  activation: 'silu',
  gated: true,
  attentionBias: false,
  mlpBias: false,
  qkNorm: true,
  tieEmbeddings: false,
};
const variants: [string, CausalLMOptions][] = [
  ['learned', base],
  ['sine', { ...base, position: 'sine' }],
  ['rotary', { ...base, position: 'rotary' }],
  ['alibi', { ...base, position: 'alibi' }],
  ['no positions, post-norm', { ...base, position: 'none', normFirst: false }],
  ['window', { ...base, position: 'rotary', window: 3 }],
  ['Llama', llama],
  ['soft cap, relu', { ...base, softCap: 3, activation: 'relu', padId: 0 }],
];

const ids = (rows = 2, length = T): tf.Tensor2D =>
  tf.tensor2d(
    Array.from({ length: rows * length }, (_, i) => 1 + ((i * 7 + (i >> 2)) % (V - 1))),
    [rows, length],
    'int32',
  );
const logitsOf = (model: tf.LayersModel, x: tf.Tensor | tf.Tensor[], kwargs = {}): tf.Tensor =>
  tf.tidy(() => model.apply(x, { training: false, ...kwargs }) as tf.Tensor);

describeBackends('causalLM', () => {
  describe.each(variants)('%s', (_, options) => {
    test('predicts, trains, saves and loads to the same bits', async () => {
      const model = causalLM(options);
      const x = ids();
      const before = model.predict(x) as tf.Tensor;
      expect(before.shape).toEqual([2, T, V]);
      expect(model.outputs[0].shape).toEqual([null, null, V]);

      const loss = (): tf.Scalar =>
        tf.tidy(() => {
          const logits = model.apply(x, { training: true }) as tf.Tensor;
          return tf.losses.softmaxCrossEntropy(
            tf.oneHot(x, V).reshape([2 * T, V]),
            logits.reshape([2 * T, V]),
          );
        });
      const optimizer = tf.train.adam(0.01);
      const losses = Array.from({ length: 4 }, () => {
        const value = optimizer.minimize(loss, true)!;
        return value.dataSync()[0];
      });
      expect(losses[3]).toBeLessThan(losses[0]);

      const again = await saveAndLoad(model);
      expectIdentical(again.predict(x) as tf.Tensor, model.predict(x) as tf.Tensor);
      expect(again.weights.map((w) => w.originalName)).toEqual(
        model.weights.map((w) => w.originalName),
      );
      again.dispose();
      model.dispose();
    });

    test('a future token cannot change the past', () => {
      const model = causalLM(options);
      const x = ids();
      const changed = tf.concat([x.slice([0, 0], [2, 4]), tf.fill([2, T - 4], 3, 'int32')], 1);
      expectIdentical(
        logitsOf(model, changed).slice([0, 0], [2, 4]),
        logitsOf(model, x).slice([0, 0], [2, 4]),
      );
      model.dispose();
    });

    test('cached logits equal uncached ones, token by token and in chunks', () => {
      const model = causalLM(options);
      const x = ids();
      const full = logitsOf(model, x);
      for (const sizes of [[1, 1, 1, 1, 1, 1, 1], [4, 1, 2], [7]]) {
        const cache = new KVCache();
        let at = 0;
        for (const size of sizes) {
          expect(cache.length).toBe(at);
          const part = logitsOf(model, x.slice([0, at], [2, size]), { cache });
          expectClose(part, full.slice([0, at], [2, size]), { atol: 2e-5 });
          const last =
            size > 1
              ? logitsOf(model, x.slice([0, at], [2, size]), { lastPositionOnly: true })
              : null;
          if (last) expect(last.shape).toEqual([2, 1, V]);
          at += size;
        }
        cache.dispose();
      }
      model.dispose();
    });
  });

  test('the same seed gives the same weights, another one others', () => {
    const [a, b, c] = [causalLM(llama), causalLM(llama), causalLM({ ...llama, seed: 6 })];
    const kernels = (m: tf.LayersModel): tf.Tensor[] =>
      m.weights.filter((w) => /kernel|embeddings/.test(w.name)).map((w) => w.read());
    kernels(a).forEach((kernel, i) => expectIdentical(kernel, kernels(b)[i]));
    const distinct = new Set([...kernels(a), ...kernels(c)].map((kernel) => kernel.dataSync()[0]));
    expect(distinct.size).toBe(2 * kernels(a).length);
    [a, b, c].forEach((m) => m.dispose());
  });

  test('initial weights have the stated spread', () => {
    const model = causalLM({ ...base, hiddenDim: 96, numLayers: 3, vocabularySize: 101 });
    const deviation = (name: string): number => {
      const weight = model.weights.find((w) => w.originalName === name)!.read();
      return Math.sqrt(tf.mean(tf.square(weight)).dataSync()[0]);
    };
    const residual = 0.02 / Math.sqrt(6);
    for (const [name, expected] of [
      ['token_embedding/embeddings', 0.02],
      ['position_embedding/embeddings', 0.02],
      ['block_1/self_attention/query/kernel', 0.02],
      ['block_1/feedforward_intermediate_dense/kernel', 0.02],
      ['block_1/self_attention/attention_output/kernel', residual],
      ['block_1/feedforward_output_dense/kernel', residual],
    ] as const) {
      expect(Math.abs(deviation(name) / expected - 1)).toBeLessThan(0.07);
    }
    model.dispose();
  });

  describe('inputs', () => {
    test('padding: content and number of padded tokens change nothing for real ones', () => {
      const model = causalLM({ ...base, position: 'rotary', inputs: ['tokenIds', 'paddingMask'] });
      const x = ids(2, 5);
      const plain = logitsOf(model, [x, tf.onesLike(x)]);
      const junk = tf.tensor2d([[9, 3], [1, 16]], [2, 2], 'int32'); // prettier-ignore
      const left = logitsOf(model, [
        tf.concat([junk, x], 1),
        tf.concat([tf.zeros([2, 2], 'int32'), tf.onesLike(x)], 1),
      ]);
      expectClose(left.slice([0, 2]), plain, { atol: 2e-5 }); // rotary: only distances count
      const right = logitsOf(model, [
        tf.concat([x, junk], 1),
        tf.concat([tf.onesLike(x), tf.zeros([2, 2], 'int32')], 1),
      ]);
      expectClose(right.slice([0, 0], [2, 5]), plain, { atol: 1e-6 }); // a product of another size may round otherwise
      model.dispose();
    });

    test('padId derives the mask, and a mask that is fed holds beside it', () => {
      const derived = causalLM({ ...base, padId: 0 });
      const given = causalLM({ ...base, inputs: ['tokenIds', 'paddingMask'] });
      const both = causalLM({ ...base, padId: 0, inputs: ['tokenIds', 'paddingMask'] });
      const x = tf.tensor2d([[3, 0, 5, 2], [0, 0, 7, 8]], [2, 4], 'int32'); // prettier-ignore
      const mask = tf.tensor2d([[1, 0, 1, 1], [0, 0, 1, 1]], [2, 4], 'int32'); // prettier-ignore
      const fed = tf.tensor2d([[0, 1, 1, 1], [1, 1, 1, 1]], [2, 4], 'int32'); // prettier-ignore
      expectIdentical(logitsOf(derived, x), logitsOf(given, [x, mask]));
      expectIdentical(logitsOf(both, [x, fed]), logitsOf(given, [x, tf.mul(mask, fed)]));
      expectIdentical(
        logitsOf(derived, x, { paddingMask: fed }),
        logitsOf(given, [x, tf.mul(mask, fed)]),
      );
      [derived, given, both].forEach((m) => m.dispose());
    });

    test('packed documents do not see each other', () => {
      const model = causalLM({ ...base, inputs: ['tokenIds', 'positions', 'segmentIds'] });
      const x = ids(1, 7);
      const positions = tf.tensor2d([[0, 1, 2, 0, 1, 2, 3]], [1, 7], 'int32');
      const segments = tf.tensor2d([[0, 0, 0, 1, 1, 1, 1]], [1, 7], 'int32');
      const packed = logitsOf(model, [x, positions, segments]);
      for (const [from, length] of [
        [0, 3],
        [3, 4],
      ]) {
        const alone = logitsOf(model, [
          x.slice([0, from], [1, length]),
          tf.range(0, length, 1, 'int32').expandDims(0),
          tf.zeros([1, length], 'int32'),
        ]);
        expectClose(packed.slice([0, from], [1, length]), alone, { atol: 1e-5 });
      }
      model.dispose();
    });

    test('token types are embedded by the token table', () => {
      const model = causalLM({ ...base, inputs: ['tokenIds', 'tokenTypeIds'] });
      const [x, types] = [ids(), tf.fill([2, T], 4, 'int32')];
      expect(model.countParams()).toBe(causalLM(base).countParams());
      const difference = tf.sub(
        logitsOf(model, [x, types]),
        logitsOf(model, [x, tf.onesLike(types)]),
      );
      expect(tf.max(tf.abs(difference)).dataSync()[0]).toBeGreaterThan(1e-4);
      model.dispose();
    });
  });

  test('hands out the attention of every layer', () => {
    const model = causalLM(base);
    const scores = attentionScores(model, ids());
    expect([...scores.keys()]).toEqual(['block_0/self_attention', 'block_1/self_attention']);
    for (const tensor of scores.values()) {
      expect(tensor.shape).toEqual([2, 3, T, T]);
      expectClose(tf.sum(tensor, -1), tf.ones([2, 3, T]), { atol: 1e-5 });
      tensor.dispose();
    }
    model.dispose();
  });

  test('leaves no tensors behind, forward and backward', () => {
    const model = causalLM({ ...llama, dropout: 0.1 });
    const x = ids();
    expectNoLeak(() => model.predict(x));
    expectNoLeak(() => {
      const { value, grads } = tf.variableGrads(
        () => tf.mean(model.apply(x, { training: true }) as tf.Tensor) as tf.Scalar,
      );
      return { value, ...grads };
    });
    model.dispose();
  });

  test.each([
    ['an untied head', llama],
    ['a tied head', base],
  ])('disposing of a model with %s frees all its weights', (_, options) => {
    const before = tf.memory().numTensors;
    causalLM(options).dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('causalLM refuses', () => {
  test.each([
    [
      { numHeads: 5 },
      'causalLM: numHeads must divide hiddenDim, got hiddenDim=12, numHeads=5. Or give headDim.',
    ],
    [
      { numHeads: 3, numKeyValueHeads: 2 },
      'multiple of numKeyValueHeads, got numHeads=3, numKeyValueHeads=2',
    ],
    [
      { position: 'absolute' },
      "position must be 'learned', 'sine', 'rotary', 'alibi' or 'none', got 'absolute'",
    ],
    [{ rotary: {} }, "rotary is given, but position='learned'"],
    [
      { vocabularySize: 0 },
      'vocabularySize must be an integer of at least 1, got vocabularySize=0',
    ],
    [{ dropout: NaN }, 'dropout must be a finite number'],
    [{ padId: 17 }, 'padId must be an integer between 0 and 16'],
    [{ numHead: 3 }, "unknown option 'numHead'"],
    [{ inputs: ['paddingMask'] }, "inputs must hold 'tokenIds'"],
    [{ inputs: ['tokenIds', 'positions'], position: 'alibi' }, "does not use 'positions'"],
    [{ headDim: 3, position: 'rotary' }, 'rotary positions need an even head size, got 3'],
    [{ activation: 'gelo' }, 'gelo'],
  ])('%j', (change, text) => {
    expect(() => causalLM({ ...base, ...(change as object) })).toThrow(text);
  });
});
