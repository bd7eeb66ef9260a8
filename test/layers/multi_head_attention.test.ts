import * as tf from '@tensorflow/tfjs';
import {
  multiHeadAttention,
  type MultiHeadAttentionArgs,
} from '../../src/layers/multi_head_attention.js';
import { checkLayer } from '../../src/testing/index.js';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { randomTensor } from '../support/check_directional.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';
import { saveAndLoad } from '../support/save_and_load.js';

const sizes = { numHeads: 2, keyDim: 3 };
const D = 5;
const sequence = (): tf.SymbolicTensor => tf.input({ shape: [null, D] });

/** A model of one attention layer with a residual around it. */
function residual(layer: tf.layers.Layer, list = false): tf.LayersModel {
  const x = sequence();
  const dense = tf.layers.dense({ units: D }).apply(x) as tf.SymbolicTensor; // not an input: predict frees it early
  const y = layer.apply(list ? [dense, dense] : dense) as tf.SymbolicTensor;
  return tf.model({ inputs: x, outputs: tf.layers.add().apply([dense, y]) as tf.SymbolicTensor });
}

describeBackends('multiHeadAttention', () => {
  test('keeps the contract of a layer', async () => {
    const x = { shape: [2, 4, D] };
    await checkLayer(() => multiHeadAttention(sizes), x);
    const all: MultiHeadAttentionArgs = {
      ...sizes,
      valueDim: 4,
      outputShape: 7,
      useGate: true,
      slidingWindow: 2,
      seed: 3,
      rotary: { maxWavelength: 100, rotaryDim: 2 },
      alibi: true,
      qkNorm: true,
      qkNormEpsilon: 1e-3,
      softCap: 4,
      kernelInitializer: 'heNormal',
      outputInitializer: tf.initializers.randomNormal({ stddev: 0.1, seed: 2 }),
      biasInitializer: { className: 'RandomUniform', config: { minval: -1, maxval: 1 } },
      kernelRegularizer: 'l2',
      biasRegularizer: tf.regularizers.l1({ l1: 0.25 }),
      useCausalMask: true,
      returnAttentionScores: true,
      inputs: ['query', 'paddingMask', 'positions'],
    };
    const mask = tf.tensor2d([[1, 1, 1, 0], [1, 0, 1, 1]], [2, 4], 'int32'); // prettier-ignore
    const positions = { shape: [2, 4], dtype: 'int32' as const, max: 9 };
    await checkLayer(() => multiHeadAttention(all), [x, mask, positions]);
    mask.dispose();
  });

  test("Keras' golden values: identity kernels", () => {
    tf.tidy(() => {
      const eye = tf.eye(8);
      const layer = multiHeadAttention({ numHeads: 8, keyDim: 8 });
      const query = tf.reshape(eye, [1, 8, 8]);
      const value = tf.div(tf.reshape(tf.range(0, 64), [1, 8, 8]), 100);
      const call = () => layer.apply([query, value, query], { returnAttentionScores: true });
      call();
      const kernel = tf.tile(tf.reshape(eye, [8, 1, 8]), [1, 8, 1]);
      const head = tf.zeros([8, 8]);
      layer.setWeights([kernel, head, kernel, head, kernel, head, kernel, tf.zeros([8])]);
      const [out, scores] = call() as tf.Tensor[];
      const rows = [2.406, 2.44, 2.473, 2.504, 2.535, 2.568, 2.602, 2.633];
      expectClose(out, [rows.map((row) => Array(8).fill(row) as number[])], { atol: 5e-3 });
      const weights = tf.add(tf.mul(eye, 0.1691 - 0.1187), 0.1187);
      expectClose(scores, tf.tile(tf.reshape(weights, [1, 1, 8, 8]), [1, 8, 1, 1]), { atol: 1e-4 });
      layer.dispose();
    });
  });

  test.each([false, true])(
    'masks of query and value are one attention mask (causal: %s)',
    (useCausalMask) => {
      tf.tidy(() => {
        const queryIds = tf.tensor2d([[1, 2, 3, 0, 0], [3, 3, 1, 1, 2], [1, 0, 0, 0, 0]]); // prettier-ignore
        const valueIds = tf.tensor2d([[5, 4, 0], [3, 0, 0], [2, 1, 1]]); // prettier-ignore
        const manual = tf.tensor3d([
        [[1, 1, 0], [1, 1, 0], [1, 1, 0], [0, 0, 0], [0, 0, 0]],
        [[1, 0, 0], [1, 0, 0], [1, 0, 0], [1, 0, 0], [1, 0, 0]],
        [[1, 1, 1], [0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]],
      ]); // prettier-ignore
        const triangle = tf.tensor2d([[1, 0, 0], [1, 1, 0], [1, 1, 1], [1, 1, 1], [1, 1, 1]]); // prettier-ignore
        const attentionMask = useCausalMask ? tf.mul(manual, triangle) : manual;
        const layer = multiHeadAttention(sizes);
        const inputs = [randomTensor([3, 5, D], 1), randomTensor([3, 3, D], 2)];
        const call = (kwargs: object): tf.Tensor[] =>
          layer.apply(inputs, { ...kwargs, returnAttentionScores: true }) as tf.Tensor[];
        const implied = {
          queryMask: tf.notEqual(queryIds, 0),
          valueMask: tf.notEqual(valueIds, 0),
        };
        const [out, scores] = call({ attentionMask });
        const [out2, scores2] = call({ ...implied, useCausalMask });
        expectIdentical(out2, out);
        expectIdentical(scores2, scores);
        const visible = tf.tile(tf.expandDims(attentionMask, 1), [1, 2, 1, 1]);
        expectIdentical(tf.cast(tf.greater(scores, 0), 'float32'), visible);
        layer.dispose();
      });
    },
  );

  test('masks of rank 2, 3 and 4 mean the same', () => {
    tf.tidy(() => {
      const layer = multiHeadAttention(sizes);
      const x = randomTensor([2, 3, D], 1);
      const mask = tf.tensor2d([[1, 0, 1], [1, 1, 0], [0, 1, 1]]); // prettier-ignore
      const [a, b, c] = [[3, 3], [1, 3, 3], [1, 1, 3, 3]].map((shape) =>
        layer.apply(x, { attentionMask: tf.reshape(mask, shape) }) as tf.Tensor,
      ); // prettier-ignore
      expectIdentical(b, a);
      expectIdentical(c, a);
      layer.dispose();
    });
  });

  test.each([true, false])(
    'scores are exactly 0 outside the window (causal: %s)',
    (useCausalMask) => {
      tf.tidy(() => {
        const layer = multiHeadAttention({ ...sizes, slidingWindow: 3, useCausalMask });
        const x = randomTensor([2, 7, D], 1);
        const [, scores] = layer.apply(x, { returnAttentionScores: true }) as tf.Tensor[];
        const inside = Array.from({ length: 7 }, (_, i) =>
          Array.from({ length: 7 }, (_, j) =>
            Number(Math.abs(i - j) < 3 && (j <= i || !useCausalMask)),
          ),
        );
        const seen = tf.cast(tf.greater(scores, 0), 'float32');
        expectIdentical(seen, tf.tile(tf.tensor4d([[inside]]), [2, 2, 1, 1]));
        layer.dispose();
      });
    },
  );

  test('apply(x) and apply([x, x]) are the same call, also in a model with a residual', async () => {
    const x = randomTensor([2, 4, D], 1);
    const layer = multiHeadAttention(sizes);
    tf.tidy(() => {
      expectIdentical(layer.apply([x, x]) as tf.Tensor, layer.apply(x) as tf.Tensor);
      expectIdentical(layer.apply([x, x, x]) as tf.Tensor, layer.apply(x) as tf.Tensor);
    });
    const [one, two] = [residual(multiHeadAttention(sizes)), residual(multiHeadAttention(sizes), true)]; // prettier-ignore
    two.setWeights(one.getWeights());
    const loaded = await saveAndLoad(two);
    tf.tidy(() => {
      const expected = one.predict(x) as tf.Tensor;
      expectIdentical(two.predict(x) as tf.Tensor, expected);
      expectIdentical(loaded.predict(x) as tf.Tensor, expected);
    });
    expectNoLeak(() => two.predict(x) as tf.Tensor);
    x.dispose();
  });

  test("inputs: ['query', 'attentionMask'] names what a model feeds", async () => {
    const [x, mask] = [sequence(), tf.input({ shape: [null, null], dtype: 'bool' })];
    const layer = multiHeadAttention({ ...sizes, inputs: ['query', 'attentionMask'] });
    const outputs = layer.apply([x, mask]) as tf.SymbolicTensor;
    const model = tf.model({ inputs: [x, mask], outputs });
    const loaded = await saveAndLoad(model);
    tf.tidy(() => {
      const fed = [randomTensor([1, 3, D], 1), tf.tensor3d([[[1, 0, 1], [1, 1, 0], [0, 1, 1]]], [1, 3, 3], 'bool')]; // prettier-ignore
      const eager = multiHeadAttention(sizes);
      eager.apply(fed[0]);
      eager.setWeights(layer.getWeights());
      const expected = eager.apply(fed[0], { attentionMask: fed[1] }) as tf.Tensor;
      expectIdentical(model.predict(fed) as tf.Tensor, expected);
      expectIdentical(loaded.predict(fed) as tf.Tensor, expected);
      eager.dispose();
    });
  });

  test('symbolic arguments by name and flags are recorded, hold in predict and survive saving', async () => {
    const [x, mask] = [sequence(), tf.input({ shape: [null] })];
    const layer = multiHeadAttention(sizes);
    const outputs = layer.apply(x, {
      paddingMask: mask,
      useCausalMask: true,
      returnAttentionScores: true,
    }) as tf.SymbolicTensor[];
    expect(outputs.map(({ shape }) => shape)).toEqual([[null, null, D], [null, 2, null, null]]); // prettier-ignore
    expect(layer.getConfig()).toMatchObject({
      inputs: ['query', 'paddingMask'],
      useCausalMask: true,
      returnAttentionScores: true,
    });
    const model = tf.model({ inputs: [x, mask], outputs });
    const loaded = await saveAndLoad(model);
    tf.tidy(() => {
      const fed = [randomTensor([1, 3, D], 1), tf.tensor2d([[1, 0, 1]])];
      const [out, scores] = model.predict(fed) as tf.Tensor[];
      const visible = [[1, 0, 0], [1, 0, 0], [1, 0, 1]]; // prettier-ignore
      expectIdentical(tf.cast(tf.greater(scores, 0), 'float32'), [[visible, visible]]);
      const [out2, scores2] = loaded.predict(fed) as tf.Tensor[];
      expectIdentical(out2, out);
      expectIdentical(scores2, scores);
    });
  });

  test('two instances in one model, one training step lowers the loss', async () => {
    const x = sequence();
    const first = multiHeadAttention({ ...sizes, dropout: 0.5 }).apply(x);
    const outputs = multiHeadAttention(sizes).apply(first) as tf.SymbolicTensor;
    const model = tf.model({ inputs: x, outputs });
    expect(new Set(model.weights.map((w) => w.originalName)).size).toBe(16);
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
    const [fed, target] = [randomTensor([2, 4, D], 1), randomTensor([2, 4, D], 2)];
    const loss = () => tf.tidy(() => (model.evaluate(fed, target) as tf.Scalar).dataSync()[0]);
    const before = loss();
    for (let step = 0; step < 5; step++) await model.trainOnBatch(fed, target);
    expect(loss()).toBeLessThan(before);
    tf.dispose([fed, target]);
  });

  test('losses of regularizers reach training', async () => {
    const x = sequence();
    const l2 = (factor: number) => tf.regularizers.l2({ l2: factor });
    const layer = multiHeadAttention({
      ...sizes,
      kernelRegularizer: l2(0.5),
      biasRegularizer: l2(2),
      biasInitializer: 'ones',
    });
    const model = tf.model({ inputs: x, outputs: layer.apply(x) as tf.SymbolicTensor });
    model.compile({ optimizer: tf.train.sgd(0), loss: 'meanSquaredError' });
    const fed = randomTensor([2, 4, D], 1);
    const target = model.predict(fed) as tf.Tensor;
    const squares = tf.tidy(() =>
      layer.weights.map(
        (w) => [w.originalName, tf.sum(tf.square(w.read())).dataSync()[0]] as const,
      ),
    );
    const expected = squares.reduce((sum, [name, s]) => sum + (name.endsWith('kernel') ? 0.5 : 2) * s, 0); // prettier-ignore
    expect(await model.trainOnBatch(fed, target)).toBeCloseTo(expected, 3);
    tf.dispose([fed, target]);
  });
});

describe('multiHeadAttention', () => {
  test.each([
    [{}, 8],
    [{ useBias: false }, 4],
    [{ useGate: true }, 10],
    [{ useGate: true, useBias: false }, 5],
    [{ qkNorm: true, useBias: false }, 6],
  ])('weights with %j', (options, count) => {
    const layer = multiHeadAttention({ ...sizes, ...options });
    layer.apply(sequence());
    expect(layer.weights).toHaveLength(count);
    const parts = layer.weights.map((w) => w.originalName.split('/'));
    expect(parts.every(([name]) => name === layer.name)).toBe(true);
    expect(new Set(parts.map((part) => part.join('/'))).size).toBe(count);
  });

  test('trainable: false, and back', () => {
    const layer = multiHeadAttention({ ...sizes, trainable: false });
    layer.apply(sequence());
    expect([layer.trainableWeights.length, layer.nonTrainableWeights.length]).toEqual([0, 8]);
    layer.trainable = true;
    expect([layer.trainableWeights.length, layer.nonTrainableWeights.length]).toEqual([8, 0]);
  });

  test('the kernels of one layer differ, seeded or not', () => {
    const seeded = tf.initializers.randomNormal({ seed: 3 });
    for (const kernelInitializer of ['glorotUniform', seeded]) {
      const layer = multiHeadAttention({ numHeads: 1, keyDim: D, kernelInitializer });
      layer.apply(sequence());
      const kernels = layer.weights.filter((w) => w.originalName.endsWith('kernel'));
      expect(new Set(kernels.map((w) => w.read().dataSync().join())).size).toBe(4);
    }
  });

  test.each([
    [{ outputShape: 7 }, [null, 4, 7]],
    [{ outputShape: [3, 4] }, [null, 4, 3, 4]],
    [{ valueDim: 9 }, [null, 4, D]],
  ])('symbolic shape with %j', (options, shape) => {
    const layer = multiHeadAttention({ ...sizes, ...options });
    expect((layer.apply(tf.input({ shape: [4, D] })) as tf.SymbolicTensor).shape).toEqual(shape);
  });

  test('refuses sizes that are no positive integers', () => {
    for (const bad of [0, -2, 1.5]) {
      expect(() => multiHeadAttention({ numHeads: bad, keyDim: 3 })).toThrow(
        `MultiHeadAttention: numHeads must be an integer of at least 1, got numHeads=${bad}.`,
      );
      expect(() => multiHeadAttention({ numHeads: 2, keyDim: bad })).toThrow(`got keyDim=${bad}.`);
      expect(() => multiHeadAttention({ ...sizes, valueDim: bad })).toThrow(`got valueDim=${bad}.`);
      expect(() => multiHeadAttention({ ...sizes, slidingWindow: bad })).toThrow(`got slidingWindow=${bad}.`); // prettier-ignore
    }
    expect(() => multiHeadAttention({ ...sizes, outputShape: [3, 0] })).toThrow('outputShape must be'); // prettier-ignore
  });

  test('refuses what it does not support or know', () => {
    const make = (options: object) => () => multiHeadAttention({ ...sizes, ...options });
    expect(make({ activityRegularizer: 'l2' })).toThrow('activityRegularizer is not supported');
    expect(make({ kernelInitializer: 'glorot' })).toThrow("unknown initializer 'glorot'");
    expect(make({ causal: true })).toThrow("MultiHeadAttention: unknown option 'causal'.");
  });

  test('refuses shapes that do not fit together', () => {
    const layer = () => multiHeadAttention({ ...sizes, name: 'attention' });
    expect(() =>
      layer().apply([tf.ones([2, 3, D]), tf.ones([2, 4, D]), tf.ones([2, 6, D])]),
    ).toThrow('attention: the shapes of key and value must be equal but for the last axis');
    expect(() => layer().apply([tf.ones([2, 3, D]), tf.ones([3, 3, D])])).toThrow(
      'attention: query and value must have the same batch size',
    );
    expect(() => layer().apply(tf.ones([2, D]))).toThrow('attention: query must have at least 3 axes'); // prettier-ignore
    const attentionMask = tf.ones([4, 4]);
    expect(() => layer().apply(tf.ones([2, 3, D]), { attentionMask })).toThrow(
      'attention: attentionMask must be [T,S], [B,T,S] or broadcastable to [2,2,3,3], got attentionMask=[4,4].',
    );
  });
});
