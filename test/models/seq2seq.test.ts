import * as tf from '@tensorflow/tfjs';
import { KVCache } from '../../src/cache/kv_cache.js';
import { seq2seq, type Seq2SeqOptions } from '../../src/models/seq2seq.js';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';
import { saveAndLoad } from '../support/save_and_load.js';

const [B, S, T, V, W] = [2, 5, 7, 17, 13];
const base: Seq2SeqOptions = {
  vocabularySize: V,
  decoderVocabularySize: W,
  maxSequenceLength: 6,
  decoderMaxSequenceLength: 11,
  hiddenDim: 12,
  numLayers: 2,
  numDecoderLayers: 3,
  numHeads: 3,
  seed: 5,
};
const variants: [string, Seq2SeqOptions][] = [
  ['pre-norm, learned positions', base],
  ['post-norm, sines, relu', { ...base, normFirst: false, position: 'sine', activation: 'relu' }],
  [
    'rotary, RMS, gated, grouped, untied',
    {
      ...base,
      numHeads: 6,
      numKeyValueHeads: 2,
      headDim: 4,
      position: 'rotary',
      normalization: 'rms',
      activation: 'silu',
      gated: true,
      qkNorm: true,
      tieEmbeddings: false,
    },
  ],
  ['padding', { ...base, padId: 0 }],
];

const ids = (length: number, size: number, rows = B): tf.Tensor2D =>
  tf.tensor2d(
    Array.from({ length: rows * length }, (_, i) => 1 + ((i * 7 + (i >> 2)) % (size - 1))),
    [rows, length],
    'int32',
  );
const run = (model: tf.LayersModel, x: tf.Tensor[], kwargs = {}): tf.Tensor =>
  tf.tidy(() => model.apply(x, { training: false, ...kwargs }) as tf.Tensor);
const halves = (model: tf.LayersModel): Record<'encoder' | 'decoder', tf.LayersModel> => ({
  encoder: model.getLayer('encoder') as unknown as tf.LayersModel,
  decoder: model.getLayer('decoder') as unknown as tf.LayersModel,
});

describeBackends('seq2seq', () => {
  describe.each(variants)('%s', (_, options) => {
    test('predicts, trains, saves and loads to the same bits', async () => {
      const model = seq2seq(options);
      const x = [ids(S, V), ids(T, W)];
      expect(model.inputNames).toEqual(['tokenIds', 'decoderTokenIds']);
      expect(model.outputs[0].shape).toEqual([null, null, W]);
      expectIdentical(run(model, x), model.predict(x) as tf.Tensor);
      const loss = (): tf.Scalar =>
        tf.tidy(() => {
          const logits = model.apply(x, { training: true }) as tf.Tensor;
          const labels = tf.oneHot(x[1], W).reshape([B * T, W]);
          return tf.losses.softmaxCrossEntropy(labels, logits.reshape([B * T, W]));
        });
      const before = model.getWeights().map((w) => w.dataSync().slice());
      const optimizer = tf.train.adam(0.01);
      const losses = Array.from({ length: 4 }, () => optimizer.minimize(loss, true)!.dataSync()[0]);
      expect(losses[3]).toBeLessThan(losses[0]);
      model.weights.forEach((weight, i) => {
        // The bias of a key moves all scores of a row alike.
        if (weight.originalName.endsWith('key/bias')) return;
        const moved = weight
          .read()
          .dataSync()
          .some((v, k) => v !== before[i][k]);
        expect([weight.originalName, moved]).toEqual([weight.originalName, true]);
      });
      const again = await saveAndLoad(model);
      expectIdentical(again.predict(x) as tf.Tensor, model.predict(x) as tf.Tensor);
      expect(again.weights.map((w) => w.originalName)).toEqual(
        model.weights.map((w) => w.originalName),
      );
      again.dispose();
      model.dispose();
    });

    test('the encoder runs once and the decoder with a cache: the same logits, loaded too', async () => {
      const built = seq2seq(options);
      for (const model of [built, await saveAndLoad(built)]) {
        const [source, target] = [ids(S, V), ids(T, W)];
        const full = run(model, [source, target]);
        const { encoder, decoder } = halves(model);
        const encoded = [
          encoder.apply(source, { training: false }) as tf.Tensor | tf.Tensor[],
        ].flat();
        const names = ['tokenIds', 'encoderOutput', 'encoderPaddingMask'];
        expect(decoder.inputNames).toEqual(names.slice(0, 1 + encoded.length));
        expectIdentical(run(decoder, [target, ...encoded]), full);
        const cache = new KVCache();
        let at = 0;
        for (const size of [3, 1, 2, 1]) {
          const part = target.slice([0, at], [B, size]);
          const step = run(decoder, [part, ...encoded], { cache, lastPositionOnly: true });
          expectClose(step, full.slice([0, at + size - 1], [B, 1]), { atol: 2e-5 });
          at += size;
          expect(cache.length).toBe(at);
        }
        cache.dispose();
      }
    });

    test('a later token of the decoder cannot change earlier logits, every token of the encoder does', () => {
      const model = seq2seq(options);
      const [source, target] = [ids(S, V), ids(T, W)];
      const full = run(model, [source, target]);
      const changed = tf.concat([target.slice([0, 0], [B, 4]), tf.fill([B, T - 4], 3, 'int32')], 1);
      expectIdentical(
        run(model, [source, changed]).slice([0, 0], [B, 4]),
        full.slice([0, 0], [B, 4]),
      );
      const other = tf.concat([source.slice([0, 0], [B, S - 1]), tf.fill([B, 1], 2, 'int32')], 1);
      const moved = run(model, [other, target]).sub(full).abs().max([0, 2]).dataSync();
      expect(Math.min(...moved)).toBeGreaterThan(0);
      model.dispose();
    });
  });

  test('padding is invisible, however it is told, to both halves', () => {
    const padded = tf.tensor2d([[3, 4, 5, 0, 0], [6, 7, 8, 9, 1]], [B, S], 'int32'); // prettier-ignore
    const target = ids(T, W);
    const derived = seq2seq({ ...base, padId: 0 });
    const alone = run(derived, [padded.slice([0, 0], [1, 3]), target.slice([0, 0], [1, T])]);
    const full = run(derived, [padded, target]);
    expectClose(full.slice([0, 0], [1, T]), alone, { atol: 1e-5 });

    const inputs = ['tokenIds', 'paddingMask', 'decoderTokenIds', 'decoderPaddingMask'] as const;
    const given = seq2seq({ ...base, inputs: [...inputs] });
    const plain = seq2seq(base);
    for (const model of [given, plain]) model.setWeights(derived.getWeights());
    const mask = tf.cast(padded.notEqual(0), 'float32');
    const all = tf.onesLike(target);
    expectIdentical(run(given, [padded, mask, target, all]), full);
    expect(halves(given).decoder.inputNames).toEqual([
      'tokenIds',
      'encoderOutput',
      'encoderPaddingMask',
      'paddingMask',
    ]);
    // As arguments of the call, where the model has no such inputs.
    const { encoder, decoder } = halves(plain);
    const encoded = encoder.apply(padded, { paddingMask: mask }) as tf.Tensor;
    expectIdentical(run(decoder, [target, encoded], { encoderPaddingMask: mask }), full);

    // Left padding of the decoder, with the positions of the same prompt alone.
    const places = [...inputs, 'decoderPositions'] as const;
    const left = seq2seq({ ...base, inputs: [...places] });
    left.setWeights(derived.getWeights());
    const shifted = tf.concat([tf.fill([B, 2], 1, 'int32'), target], 1);
    const real = tf.tensor2d([[0, 0, 1, 1, 1, 1, 1, 1, 1], [0, 0, 1, 1, 1, 1, 1, 1, 1]]); // prettier-ignore
    const count = tf.tensor2d([[0, 0, 0, 1, 2, 3, 4, 5, 6], [0, 0, 0, 1, 2, 3, 4, 5, 6]]); // prettier-ignore
    const behind = run(left, [padded, mask, shifted, real, count]).slice([0, 2], [B, T]);
    expectClose(behind, full, { atol: 1e-5 });
    for (const model of [derived, given, plain, left]) model.dispose();
  });

  test('packed documents see only their own, in both sequences', () => {
    const inputs = [
      'tokenIds', 'segmentIds', 'positions', 'decoderTokenIds', 'decoderSegmentIds', 'decoderPositions',
    ] as const; // prettier-ignore
    const model = seq2seq({ ...base, inputs: [...inputs] });
    const plain = seq2seq(base);
    plain.setWeights(model.getWeights());
    const [source, target] = [ids(S, V, 1), ids(T, W, 1)];
    const feed = [
      source, tf.tensor2d([[1, 1, 2, 2, 2]]), tf.tensor2d([[0, 1, 0, 1, 2]]),
      target, tf.tensor2d([[1, 1, 1, 2, 2, 2, 2]]), tf.tensor2d([[0, 1, 2, 0, 1, 2, 3]]),
    ]; // prettier-ignore
    const packed = run(model, feed);
    const first = run(plain, [source.slice([0, 0], [1, 2]), target.slice([0, 0], [1, 3])]);
    const second = run(plain, [source.slice([0, 2], [1, 3]), target.slice([0, 3], [1, 4])]);
    expectClose(packed, tf.concat([first, second], 1), { atol: 1e-5 });
    model.dispose();
    plain.dispose();
  });

  test('leaves nothing behind', () => {
    const model = seq2seq({ ...base, padId: 0 });
    const { encoder, decoder } = halves(model);
    const [source, target] = [ids(S, V), ids(T, W)];
    expectNoLeak(() => run(model, [source, target]));
    expectNoLeak(() => {
      const cache = new KVCache();
      const encoded = encoder.apply(source, { training: false }) as tf.Tensor[];
      const step = run(decoder, [target, ...encoded], { cache });
      cache.dispose();
      return [...encoded, step];
    });
    expectNoLeak(() => {
      const { value, grads } = tf.variableGrads(
        () => tf.sum(model.apply([source, target], { training: true }) as tf.Tensor) as tf.Scalar,
      );
      return [value, grads];
    });
    model.dispose();
  });
});

test('a cache belongs to one source', () => {
  const { encoder, decoder } = halves(seq2seq(base));
  const cache = new KVCache();
  const encoded = (length: number): tf.Tensor => encoder.apply(ids(length, V)) as tf.Tensor;
  decoder.apply([ids(1, W), encoded(5)], { cache });
  expect(() => decoder.apply([ids(1, W), encoded(4)], { cache })).toThrow(
    'the cache holds keys of an encoder sequence of 2 rows of 5',
  );
  cache.dispose();
});

test('bad options are named', () => {
  expect(() => seq2seq({ ...base, inputs: ['tokenIds'] })).toThrow(
    "seq2seq: inputs must hold 'tokenIds' and 'decoderTokenIds'",
  );
  expect(() => seq2seq({ ...base, numDecoderLayers: 0 })).toThrow(
    'numDecoderLayers must be an integer',
  );
  expect(() => seq2seq({ ...base, decoderVocabulary: 3 } as never)).toThrow('decoderVocabulary');
});
