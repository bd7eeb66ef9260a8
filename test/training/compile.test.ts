import * as tf from '@tensorflow/tfjs';
import { adamW } from '../../src/training/adam_w.js';
import { compile } from '../../src/training/compile.js';
import { evaluate } from '../../src/training/evaluate.js';
import { textDataset } from '../../src/training/text_dataset.js';
import { describeBackends } from '../support/backends.js';
import { tinyModel } from './tiny_model.js';

// Untied: TensorFlow.js does not free a layer that was applied twice.
const sizes = { tieEmbeddings: false, vocabularySize: 7, maxSequenceLength: 5 };

describeBackends('compile', () => {
  const value = (scalar: tf.Tensor | tf.Tensor[]): number[] =>
    [scalar].flat().map((tensor) => tensor.dataSync()[0]);

  test('fit of TensorFlow.js trains on integer labels, and evaluate agrees with ours', async () => {
    const model = tinyModel(sizes);
    compile(model, { optimizer: adamW({ learningRate: 0.03 }), metrics: ['accuracy'] });
    const ids = tf.tensor2d(
      [
        [1, 2, 3, 4, 5],
        [2, 3, 4, 5, 6],
      ],
      [2, 5],
      'int32',
    );
    const labels = tf.tensor3d(
      [
        [2, 3, 4, 5, 6],
        [3, 4, 5, 6, 0],
      ].map((row) => row.map((x) => [x])),
      [2, 5, 1],
      'int32',
    );
    const { history } = await model.fit(ids, labels, {
      epochs: 25,
      batchSize: 2,
      shuffle: false,
      verbose: 0,
    });
    expect(Object.keys(history)).toEqual(['loss', 'accuracy']);
    expect(history.loss.at(-1)).toBeLessThan((history.loss[0] as number) / 4);
    expect(history.accuracy.at(-1)).toBe(1);
    const [loss, accuracy] = value(model.evaluate(ids, labels, { batchSize: 2 }));
    expect(accuracy).toBe(1);
    const dataset = textDataset(
      [
        [1, 2, 3, 4, 5, 6],
        [2, 3, 4, 5, 6, 0],
      ],
      { inputs: ['tokenIds'] },
    );
    expect((await evaluate(model, dataset)).loss).toBeCloseTo(loss, 5);
    tf.dispose([ids, labels]);
  });

  test('ignored labels change neither loss, accuracy nor weights', async () => {
    const weightsAfter = async (filler: number): Promise<number[][]> => {
      const model = tinyModel(sizes);
      compile(model, { learningRate: 0.1, metrics: ['accuracy'], ignoreIndex: -1 });
      const ids = tf.tensor2d([[1, 2, filler]], [1, 3], 'int32');
      const labels = tf.tensor3d([[[2], [3], [-1]]], [1, 3, 1], 'int32');
      const { history } = await model.fit(ids, labels, { epochs: 2, verbose: 0 });
      const kernel = Array.from(model.weights[2].read().dataSync());
      tf.dispose([ids, labels]);
      model.dispose();
      return [history.loss as number[], history.accuracy as number[], kernel];
    };
    expect(await weightsAfter(4)).toEqual(await weightsAfter(5));
  });

  test('fitDataset and evaluateDataset take a textDataset, padding mask included', async () => {
    const before = tf.memory().numTensors;
    const model = tinyModel({ ...sizes, inputs: ['tokenIds', 'paddingMask'] });
    compile(model, { optimizer: adamW({ learningRate: 0.03 }), metrics: ['accuracy'] });
    const dataset = textDataset(
      [
        [1, 2, 3],
        [1, 2, 3, 4, 5],
        [2, 3, 4, 5],
      ],
      { batchSize: 2, seed: 1 },
    );
    const { history } = await model.fitDataset(dataset as never, {
      epochs: 30,
      verbose: 0,
      validationData: dataset as never,
    });
    expect(history.val_loss.at(-1)).toBeLessThan((history.loss[0] as number) / 4);
    expect(history.val_accuracy.at(-1)).toBe(1);
    const result = await model.evaluateDataset(dataset as never, {});
    expect(value(result)[1]).toBe(1);
    tf.dispose(result);
    model.optimizer.dispose();
    model.dispose();
    expect(tf.memory().numTensors - before).toBeLessThanOrEqual(0);
  });

  test('trainOnBatch, evaluate and perplexity leave ignored labels out', async () => {
    const model = tinyModel(sizes);
    compile(model, { optimizer: tf.train.sgd(0), metrics: ['accuracy', 'perplexity'] });
    const ids = tf.tensor2d([[1, 2, 3]], [1, 3], 'int32');
    const labels = tf.tensor3d([[[2], [3], [-100]]]);
    const dataset = textDataset([[1, 2, 3]], { inputs: ['tokenIds'] });
    const ours = await evaluate(model, dataset, { metrics: ['accuracy', 'perplexity'] });
    const measured = (await model.trainOnBatch(ids, labels)) as number[];
    const expected = [ours.loss, ours.metrics!.accuracy, ours.metrics!.perplexity];
    measured.forEach((number, i) => expect(number).toBeCloseTo(expected[i], 4));
    value(model.evaluate(ids, labels)).forEach((number, i) =>
      expect(number).toBeCloseTo(expected[i], 4),
    );
    expect(model.metricsNames).toEqual(['loss', 'accuracy', 'perplexity']);
    tf.dispose([ids, labels]);
  });

  test('a sequential model, too', async () => {
    const kernelInitializer = tf.initializers.glorotUniform({ seed: 1 });
    const dense = { kernelInitializer, kernelConstraint: 'nonNeg' as const };
    const model = tf.sequential({
      layers: [tf.layers.dense({ units: 4, inputShape: [3, 4], ...dense })],
    });
    compile(model, { learningRate: 0.1, metrics: ['accuracy'] });
    const x = tf.tensor3d([[[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]]); // prettier-ignore
    const labels = tf.tensor3d([[[2], [3], [-100]]]);
    const { history } = await model.fit(x, labels, { epochs: 20, verbose: 0 });
    expect(history.accuracy.at(-1)).toBe(1);
    expect(tf.min(model.layers[0].getWeights()[0]).dataSync()[0]).toBe(0);
    tf.dispose([x, labels]);
    expect(() => compile(tf.sequential())).toThrow(
      'compile: the model must have one output, the logits, got 0 outputs.',
    );
  });

  test('the default optimizer belongs to the model', () => {
    const before = tf.memory().numTensors;
    const model = tinyModel(sizes);
    compile(model);
    model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

test('bad options are refused', () => {
  const model = tinyModel(sizes);
  expect(() => compile(model, { optimizer: adamW(), learningRate: 1 })).toThrow(
    'compile: learningRate belongs to the default optimizer',
  );
  expect(() => compile(model, { metrics: ['mse'] as never })).toThrow(
    "compile: a metric must be 'accuracy', 'perplexity' or a function, got 'mse'.",
  );
  expect(() => compile(model, { loss: 'x' } as never)).toThrow("compile: unknown option 'loss'");
});
