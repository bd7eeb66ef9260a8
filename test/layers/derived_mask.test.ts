/** Masks of TensorFlow.js' own embeddings in front of our layers: they mask what they should, and nothing else. */
import * as tf from '@tensorflow/tfjs';
import { layers } from 'tfjs-transformers';
import { derivedMask } from '../../src/layers/derived_mask.js';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';
import { saveAndLoad } from '../support/save_and_load.js';

const [V, T, D] = [11, 5, 6];
const idsOf = (): tf.Tensor2D => tf.tensor2d([[3, 4, 0, 5, 0], [6, 7, 8, 0, 0]], [2, T], 'int32'); // prettier-ignore
const realOf = (): tf.Tensor => idsOf().notEqual(0);

const words = (name: string, maskZero = true): tf.layers.Layer =>
  tf.layers.embedding({
    name,
    inputDim: V,
    outputDim: D,
    maskZero,
    embeddingsInitializer: tf.initializers.randomNormal({ seed: name.length }),
  });
const input = (name: string): tf.SymbolicTensor => tf.input({ name, shape: [T], dtype: 'int32' });
const symbolic = (layer: tf.layers.Layer, x: tf.SymbolicTensor | tf.SymbolicTensor[]) =>
  layer.apply(x) as tf.SymbolicTensor;

/** What may stand behind an embedding, each with the arguments that say the same by hand. */
const heads: [string, () => tf.layers.Layer, (mask: tf.Tensor) => object][] = [
  [
    'multiHeadAttention',
    () => layers.multiHeadAttention({ numHeads: 2, keyDim: 3 }),
    (mask) => ({ queryMask: mask, valueMask: mask }),
  ],
  [
    'groupedQueryAttention',
    () => layers.groupedQueryAttention({ numQueryHeads: 2, numKeyValueHeads: 1, headDim: 3 }),
    (mask) => ({ queryMask: mask, valueMask: mask }),
  ],
  [
    'transformerEncoder',
    () => layers.transformerEncoder({ numHeads: 2, intermediateDim: 7 }),
    (mask) => ({ paddingMask: mask }),
  ],
  [
    'transformerDecoder',
    () => layers.transformerDecoder({ numHeads: 2, intermediateDim: 7 }),
    (mask) => ({ paddingMask: mask }),
  ],
  [
    'globalAveragePooling1d',
    () => layers.globalAveragePooling1d(),
    (mask) => ({ paddingMask: mask }),
  ],
];

describeBackends('masks that TensorFlow.js keeps beside tensors', () => {
  describe.each(heads)('%s', (_, make, byHand) => {
    test('is masked in predict, with and without saving, in a sequence and eagerly', async () => {
      const [ids, real] = [idsOf(), realOf()];
      const embedding = words('words');
      const head = make();
      const x = input('ids');
      const outputs = symbolic(head, symbolic(embedding, x));
      const model = tf.model({ inputs: x, outputs });
      const embedded = tf.gather(embedding.getWeights()[0], ids);
      const expected = head.apply(embedded, byHand(real)) as tf.Tensor;
      expectIdentical(model.predict(ids) as tf.Tensor, expected);
      const unmasked = head.apply(embedded) as tf.Tensor;
      expect(unmasked.sub(expected).abs().max().dataSync()[0]).toBeGreaterThan(1e-3);
      expectIdentical((await saveAndLoad(model)).predict(ids) as tf.Tensor, expected);
      expectIdentical(head.apply(embedding.apply(ids)) as tf.Tensor, expected);

      const sequential = tf.sequential({
        layers: [
          tf.layers.embedding({ inputDim: V, outputDim: D, maskZero: true, inputLength: T }),
          tf.layers.dropout({ rate: 0.5 }),
          make(),
        ],
      });
      sequential.setWeights(model.getWeights());
      expectIdentical(sequential.predict(ids) as tf.Tensor, expected);
      const loaded = await saveAndLoad(sequential);
      expect(loaded.layers).toHaveLength(3);
      expectIdentical(loaded.predict(ids) as tf.Tensor, expected);
      expectIdentical(loaded.apply(ids) as tf.Tensor, expected);
    });
  });

  test('fit trains as with a mask given by hand', async () => {
    const results: tf.Tensor[][] = [];
    for (const implicit of [true, false]) {
      const x = input('ids');
      const table = words('words', implicit);
      table.trainable = false; // wasm has no gradient of a lookup of TensorFlow.js
      const h = symbolic(table, x);
      const encoder = layers.transformerEncoder({
        numHeads: 2,
        intermediateDim: 7,
        kernelInitializer: tf.initializers.glorotUniform({ seed: 3 }),
      });
      const pool = layers.globalAveragePooling1d();
      const mask = layers.paddingMask().apply(x) as tf.SymbolicTensor;
      const given = implicit ? {} : { paddingMask: mask };
      const y = pool.apply(encoder.apply(h, given), given) as tf.SymbolicTensor;
      const model = tf.model({ inputs: x, outputs: y });
      model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
      const target = tf.ones([2, D]);
      await model.fit(idsOf(), target, { epochs: 3, batchSize: 2, shuffle: false, verbose: 0 });
      results.push(model.getWeights());
    }
    expect(results[0]).toHaveLength(17);
    results[0].forEach((weight, i) => expectIdentical(weight, results[1][i]));
  });

  test('a later branch without a mask is untouched, whatever its layers are', async () => {
    // TensorFlow.js runs the first branch first; its mask would stay for the layers of the second.
    const [a, b] = [input('a'), input('b')];
    const encoder = layers.transformerEncoder({ numHeads: 2, intermediateDim: 7 });
    const masked = symbolic(encoder, symbolic(words('left'), a));
    const free = symbolic(words('right', false), b);
    const gru = tf.layers.gru({ units: 4, returnSequences: true });
    const attention = layers.multiHeadAttention({ numHeads: 2, keyDim: 3 });
    const pool = layers.globalAveragePooling1d();
    const outputs = [masked, symbolic(attention, symbolic(gru, free)), symbolic(pool, free)];
    const model = tf.model({ inputs: [a, b], outputs });
    const alone = tf.model({ inputs: b, outputs: outputs.slice(1) });
    const full = tf.fill([2, T], 2, 'int32');
    for (const m of [model, await saveAndLoad(model)]) {
      const [, second, third] = m.predict([idsOf(), full]) as tf.Tensor[];
      const [attended, pooled] = alone.predict(full) as tf.Tensor[];
      expectIdentical(second, attended);
      expectIdentical(third, pooled);
    }
    expect(attention.getConfig().inputs).toBe(undefined);
  });

  test('masks of query and value go to their own places, through merges and position embeddings', () => {
    const [source, target] = [input('source'), input('target')];
    const table = words('shared');
    const memory = symbolic(table, source);
    let x = symbolic(table, target);
    x = symbolic(tf.layers.add(), [
      x,
      symbolic(layers.positionEmbedding({ sequenceLength: T }), x),
    ]);
    const decoder = layers.transformerDecoder({ numHeads: 2, intermediateDim: 7 });
    const y = symbolic(decoder, [x, symbolic(layers.layerNormalization(), memory)]);
    expect(decoder.getConfig().inputs).toEqual([
      'query',
      'encoderSequence',
      'paddingMask',
      'encoderPaddingMask',
    ]);
    const model = tf.model({ inputs: [source, target], outputs: y });
    expect(model.layers.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['source_mask', 'target_mask']),
    );
    const ids = idsOf();
    // The content of a padded token of the source does not reach the output.
    const other = tf.model({ inputs: [source, target], outputs: [memory, y] });
    const [, before] = other.predict([ids, tf.onesLike(ids)]) as tf.Tensor[];
    table.setWeights([tf.concat([tf.fill([1, D], 99), table.getWeights()[0].slice([1, 0])])]);
    expectIdentical((other.predict([ids, tf.onesLike(ids)]) as tf.Tensor[])[1], before);
  });

  test('an explicit mask wins, and one of tf.layers.masking is taken too', () => {
    const ids = idsOf();
    const x = input('ids');
    const [h, ones] = [symbolic(words('words'), x), tf.input({ shape: [T] })];
    const encoder = layers.transformerEncoder({ numHeads: 2, intermediateDim: 7 });
    const model = tf.model({
      inputs: [x, ones],
      outputs: [h, encoder.apply(h, { paddingMask: ones }) as tf.SymbolicTensor],
    });
    const [embedded, out] = model.predict([ids, tf.ones([2, T])]) as tf.Tensor[];
    expectClose(out, encoder.apply(embedded.clone()) as tf.Tensor, { atol: 1e-6 });

    const features = tf.input({ shape: [T, D] });
    const pool = layers.globalAveragePooling1d();
    const masking = tf.layers.masking({ maskValue: 7 });
    const pooled = tf.model({
      inputs: features,
      outputs: symbolic(pool, symbolic(masking, features)),
    });
    const rows = tf.concat([tf.ones([1, 2, D]), tf.fill([1, 3, D], 7)], 1);
    expectIdentical(pooled.predict(rows) as tf.Tensor, tf.ones([1, D]));
  });

  test('layers of TensorFlow.js behind ours get the mask, and layers without steps end it', () => {
    const ids = idsOf();
    const x = input('ids');
    const h = symbolic(words('words'), x);
    const encoder = layers.transformerEncoder({ numHeads: 2, intermediateDim: 7 });
    const middle = symbolic(layers.dropout({ rate: 0.5 }), symbolic(encoder, h));
    const gru = tf.layers.gru({ units: 3, returnSequences: false });
    const model = tf.model({ inputs: x, outputs: symbolic(gru, middle) });
    // Right padding of the second row: the recurrent layer keeps its state there.
    const row = ids.slice([1, 0], [1, T]);
    const short = row.slice([0, 0], [1, 3]);
    const other = tf.input({ shape: [null], dtype: 'int32' });
    const chain = [model.getLayer('words'), encoder, gru];
    const free = tf.model({
      inputs: other,
      outputs: chain.reduce((y, l) => symbolic(l, y), other),
    });
    expectClose(model.predict(row) as tf.Tensor, free.predict(short) as tf.Tensor, { atol: 1e-5 });
    expect(derivedMask(symbolic(gru, middle))).toBe(null);
    expect(derivedMask(symbolic(tf.layers.flatten(), middle))).toBe(null);
    expect(derivedMask(symbolic(layers.globalAveragePooling1d(), middle))).toBe(null);
  });

  test('in a nested model the mask is made from what that is called with', () => {
    const ids = idsOf();
    const inner = tf.sequential({
      layers: [
        tf.layers.embedding({ inputDim: V, outputDim: D, maskZero: true, inputShape: [T] }),
        tf.layers.dropout({ rate: 0.1 }),
      ],
    });
    const x = input('ids');
    const pool = layers.globalAveragePooling1d();
    const model = tf.model({ inputs: x, outputs: symbolic(pool, symbolic(inner, x)) });
    const embedded = tf.gather(inner.getWeights()[0], ids);
    const expected = pool.apply(embedded, { paddingMask: realOf() }) as tf.Tensor;
    expectIdentical(model.predict(ids) as tf.Tensor, expected);
  });

  test('embeddings of this package make such a mask too', () => {
    const ids = idsOf();
    const real = realOf();
    for (const embedding of [
      layers.reversibleEmbedding({ inputDim: V, outputDim: D, maskZero: true }),
      layers.tokenAndPositionEmbedding({ vocabularySize: V, sequenceLength: T, embeddingDim: D, maskZero: true }), // prettier-ignore
    ]) {
      const x = input('ids');
      const encoder = layers.transformerEncoder({ numHeads: 2, intermediateDim: 7 });
      const outputs = symbolic(encoder, symbolic(embedding as never, x));
      const model = tf.model({ inputs: x, outputs });
      const embedded = tf.clone(embedding.apply(ids) as tf.Tensor);
      const expected = encoder.apply(embedded, { paddingMask: real }) as tf.Tensor;
      expectIdentical(model.predict(ids) as tf.Tensor, expected);
    }
  });

  test('leaves nothing behind, eagerly and in graphs', () => {
    const embedding = words('words');
    const encoder = layers.transformerEncoder({ numHeads: 2, intermediateDim: 7 });
    const x = input('ids');
    const model = tf.model({ inputs: x, outputs: symbolic(encoder, symbolic(embedding, x)) });
    const ids = idsOf();
    expectNoLeak(() => model.predict(ids) as tf.Tensor);
    expectNoLeak(() => {
      const embedded = embedding.apply(ids) as tf.Tensor;
      const first = encoder.apply(embedded) as tf.Tensor;
      const second = encoder.apply(first) as tf.Tensor;
      return [embedded, first, second];
    });
  });
});

test('a mask that cannot be a tensor is not lost silently', () => {
  const warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  try {
    const [a, b] = [symbolic(words('one'), input('a')), symbolic(words('three'), input('b'))];
    const joined = symbolic(tf.layers.concatenate({ axis: 1 }), [a, b]);
    layers.multiHeadAttention({ numHeads: 2, keyDim: 3 }).apply(joined, { paddingMask: symbolic(layers.paddingMask(), input('c')) }); // prettier-ignore
    layers.positionEmbedding({ sequenceLength: 2 * T }).apply(joined);
    expect(warn).not.toHaveBeenCalled();
    layers.globalAveragePooling1d().apply(joined);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0][0]).toContain("the mask that layer 'one' makes cannot be used here");
    const wide = symbolic(tf.layers.concatenate(), [a, b]);
    expect(derivedMask(wide)!.mask!.name).toContain('a_mask_and_b_mask');
  } finally {
    warn.mockRestore();
  }
});

test('walks each tensor of a chain of residual sums once', () => {
  let y = symbolic(words('words'), input('ids'));
  for (let i = 0; i < 60; i++) {
    y = symbolic(tf.layers.add(), [y, symbolic(tf.layers.activation({ activation: 'tanh' }), y)]); // 2⁶⁰ ways back
  }
  expect(derivedMask(y)?.layer).toBe('words');
});
