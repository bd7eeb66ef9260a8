import * as tf from '@tensorflow/tfjs';
import { arrayDataset } from '../../src/training/array_dataset.js';
import { fit } from '../../src/training/fit.js';
import { evaluate } from '../../src/training/evaluate.js';
import { describeBackends, useBackend } from '../support/backends.js';
import { expectIdentical } from '../support/expect_close.js';

const examples = Array.from({ length: 23 }, (_, i) => ({
  inputs: { tokenIds: Array.from({ length: 1 + (i % 5) }, () => i) },
  labels: i % 2,
}));
const firsts = (batches: { labels: { shape: number[] }; inputs: Record<string, any> }[]) =>
  batches.map(({ inputs: { tokenIds } }) =>
    Array.from({ length: tokenIds.shape[0] }, (_, b) => tokenIds.values[b * tokenIds.shape[1]]),
  );

test('every epoch has every example once, the same on every call, from any batch on', () => {
  const dataset = arrayDataset(examples, { batchSize: 4, seed: 5, bucketBy: 'tokenIds' });
  expect([dataset.batchesPerEpoch, dataset.size]).toEqual([6, 6]);
  for (const epoch of [0, 3]) {
    const batches = [...dataset.batches(epoch)];
    expect(
      firsts(batches)
        .flat()
        .sort((a, b) => a - b),
    ).toEqual(examples.map((_, i) => i));
    expect([...dataset.batches(epoch, 2)]).toEqual(batches.slice(2));
    // Lengths 1 … 5, about five of each: a batch of four holds at most two neighbouring lengths.
    for (const batch of firsts(batches)) {
      const lengths = batch.map((i: number) => 1 + (i % 5));
      expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
    }
  }
  expect([...dataset.batches(0)]).not.toEqual([...dataset.batches(1)]);
});

test('goes into fitDataset, one epoch after the other', async () => {
  await useBackend('cpu');
  const dataset = arrayDataset(examples, { batchSize: 20, shuffle: false });
  const iterator = await dataset.iterator();
  const { value } = await iterator.next();
  expect(value.xs.tokenIds.shape).toEqual([20, 5]);
  expectIdentical(
    value.ys,
    tf.tensor1d(
      Array.from({ length: 20 }, (_, i) => i % 2),
      'int32',
    ),
  );
  tf.dispose([value, (await iterator.next()).value]);
  expect((await iterator.next()).done).toBe(true);
});

test('bad calls are refused', () => {
  expect(() => arrayDataset([])).toThrow('arrayDataset: examples must be an array of at least one');
  expect(() => arrayDataset(examples, { bucketBy: 'x' })).toThrow(
    "arrayDataset: bucketBy must name a sequence among the inputs tokenIds, got 'x'.",
  );
  expect(() => arrayDataset(examples, { masks: { m: 'x' } })).toThrow('masks must name sequences');
  expect(() => arrayDataset(examples, { batch: 3 } as never)).toThrow("unknown option 'batch'");
});

describeBackends('models that are no language models', () => {
  test('a classifier of two inputs learns, with accuracy, and a regression with a loss of its own', async () => {
    const a = tf.input({ shape: [2], name: 'a' });
    const b = tf.input({ shape: [1], name: 'b' });
    const joined = tf.layers.concatenate().apply([a, b]) as tf.SymbolicTensor;
    const initializer = tf.initializers.glorotUniform({ seed: 3 });
    const dense = (units: number) =>
      tf.layers.dense({ units, kernelInitializer: initializer }).apply(joined);
    const points = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(3 * i), i % 3]);
    const dtypes = { a: 'float32', b: 'float32', labels: 'float32' } as const;

    const classifier = tf.model({ inputs: [a, b], outputs: dense(3) as tf.SymbolicTensor });
    const classes = arrayDataset(
      points.map(([x, y, z]) => ({ inputs: { b: [z], a: [x, y] }, labels: z })),
      { batchSize: 7, dtypes: { ...dtypes, labels: 'int32' } },
    );
    const history = await fit(classifier, classes, {
      learningRate: 0.1,
      epochs: 60,
      validationData: classes,
      validateEvery: 360,
      metrics: ['accuracy'],
    });
    expect(history.validation.at(-1)!.metrics!.accuracy).toBeGreaterThan(0.95);

    const regression = tf.model({ inputs: [a, b], outputs: dense(1) as tf.SymbolicTensor });
    const targets = arrayDataset(
      points.map(([x, y, z]) => ({ inputs: { a: [x, y], b: [z] }, labels: [2 * x - y + 0.5 * z] })),
      { batchSize: 40, dtypes },
    );
    const loss = tf.losses.meanSquaredError;
    await fit(regression, targets, { learningRate: 0.1, epochs: 150, loss });
    const { loss: left, tokens } = await evaluate(regression, targets, { loss });
    expect(left).toBeLessThan(1e-3);
    expect(tokens).toBe(40);
  });

  test('accumulated batches of different size give the step of one large batch, for any mean loss', async () => {
    const points = Array.from({ length: 7 }, (_, i) => ({
      inputs: { x: [Math.sin(i), 1] },
      labels: [i],
    }));
    const dtypes = { x: 'float32', labels: 'float32' } as const;
    const train = async (batchSize: number, gradientAccumulation: number): Promise<number[]> => {
      const x = tf.input({ shape: [2], name: 'x' });
      const outputs = tf.layers.dense({ units: 1, kernelInitializer: 'ones' }).apply(x);
      const model = tf.model({ inputs: x, outputs: outputs as tf.SymbolicTensor });
      await fit(model, arrayDataset(points, { batchSize, dtypes, shuffle: false }), {
        optimizer: tf.train.sgd(0.1),
        gradientAccumulation,
        loss: tf.losses.meanSquaredError,
      });
      return Array.from(model.weights[0].read().dataSync());
    };
    const whole = await train(7, 1);
    (await train(3, 3)).forEach((value, i) => expect(value).toBeCloseTo(whole[i], 5));
  });
});
