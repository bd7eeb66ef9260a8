import * as tf from '@tensorflow/tfjs';
import { multiHeadAttention } from '../../src/layers/multi_head_attention.js';
import { applyConstraints } from '../../src/training/constraints.js';
import { arrayDataset } from '../../src/training/array_dataset.js';
import { compile } from '../../src/training/compile.js';
import { computeGradients } from '../../src/training/compute_gradients.js';
import { fit } from '../../src/training/fit.js';
import { regularizationLosses } from '../../src/training/regularization.js';
import { describeBackends } from '../support/backends.js';

const MAX_NORM = 0.3;

/** Attention whose kernels are constrained and regularized, inside a model of 3 classes. */
function constrained(strength: number): tf.LayersModel {
  const x = tf.input({ shape: [null, 4], name: 'x' });
  const attention = multiHeadAttention({
    numHeads: 2,
    keyDim: 2,
    name: 'attention',
    kernelConstraint: tf.constraints.maxNorm({ maxValue: MAX_NORM, axis: 0 }),
    kernelRegularizer: tf.regularizers.l2({ l2: strength }),
    kernelInitializer: tf.initializers.glorotUniform({ seed: 1 }),
  });
  const dense = tf.layers.dense({
    units: 3,
    kernelConstraint: 'nonNeg',
    kernelInitializer: tf.initializers.glorotUniform({ seed: 2 }),
  });
  const outputs = dense.apply(attention.apply(x)) as tf.SymbolicTensor;
  return tf.model({ inputs: x, outputs });
}

const dataset = (batchSize = 3) =>
  arrayDataset(
    Array.from({ length: 6 }, (_, i) => ({
      inputs: {
        x: {
          values: Float32Array.from({ length: 12 }, (_, j) => Math.sin(i + j)),
          shape: [3, 4],
          dtype: 'float32' as const,
        },
      },
      labels: [i % 3, 1, 2],
    })),
    { batchSize },
  );
const kernel = (model: tf.LayersModel, name: string): tf.Tensor =>
  model.weights.find(({ originalName }) => originalName.endsWith(name))!.read();

describeBackends('constraints and regularizers of layers inside layers', () => {
  const train: Record<string, (model: tf.LayersModel) => Promise<unknown>> = {
    'our loop': (model) => fit(model, dataset(), { learningRate: 0.3, epochs: 2 }),
    'fitDataset of TensorFlow.js': (model) => {
      compile(model, { learningRate: 0.3 });
      compile(model, { learningRate: 0.3 }); // the second time must not constrain twice or lose the loop
      return model.fitDataset(dataset() as never, { epochs: 2, verbose: 0 });
    },
    'trainOnBatch of TensorFlow.js': async (model) => {
      compile(model, { learningRate: 0.3 });
      const x = tf.randomNormal([2, 3, 4], 0, 1, 'float32', 7);
      const labels = tf.tensor3d([[[0], [1], [2]], [[2], [-100], [0]]]); // prettier-ignore
      for (let step = 0; step < 4; step++) await model.trainOnBatch(x, labels);
      tf.dispose([x, labels]);
    },
  };

  test.each(Object.keys(train))('%s keeps to constraints', async (loop) => {
    const model = constrained(0);
    const query = kernel(model, 'query/kernel');
    await train[loop](model);
    tf.tidy(() => {
      const norms = tf.sqrt(tf.sum(tf.square(query), 0));
      expect(tf.max(norms).dataSync()[0]).toBeLessThan(MAX_NORM + 1e-5);
      expect(tf.max(norms).dataSync()[0]).toBeGreaterThan(MAX_NORM - 1e-3); // it does bind
      const last = model.weights[model.weights.length - 2].read();
      expect(tf.min(last).dataSync()[0]).toBe(0);
    });
    model.dispose();
  });

  test('regularizers count once for each layer, in the loss and in the gradients of both loops', async () => {
    const strength = 0.7;
    const model = constrained(strength);
    const kernels = model.weights.filter(({ originalName }) =>
      /attention\/.*kernel$/.test(originalName),
    );
    expect(kernels).toHaveLength(4);
    const penalty = tf.tidy(
      () =>
        kernels.reduce((sum, w) => sum + tf.sum(tf.square(w.read())).dataSync()[0], 0) * strength,
    );
    tf.tidy(() => {
      const sum = tf.addN(regularizationLosses(model)).dataSync()[0];
      expect(sum).toBeCloseTo(penalty, 4);
    });
    const [batch] = dataset().batches();
    const plain = constrained(0);
    const [a, b] = [model, plain].map((each) => computeGradients(each, [batch]));
    const { name } = kernels[0];
    const twin = plain.weights[model.weights.findIndex((w) => w.name === name)].name;
    tf.tidy(() => {
      expect(tf.sub(a.loss, b.loss).dataSync()[0]).toBeCloseTo(penalty, 4);
      const extra = tf.sub(a.gradients[name], b.gradients[twin]);
      const expected = tf.mul(kernels[0].read(), 2 * strength);
      expect(tf.max(tf.abs(tf.sub(extra, expected))).dataSync()[0]).toBeLessThan(1e-5);
    });
    tf.dispose([a.loss, b.loss, a.gradients, b.gradients] as tf.TensorContainer);
    compile(model, { optimizer: tf.train.sgd(0) });
    const { history } = await model.fitDataset(dataset(6) as never, { epochs: 1, verbose: 0 });
    compile(plain, { optimizer: tf.train.sgd(0) });
    const { history: bare } = await plain.fitDataset(dataset(6) as never, {
      epochs: 1,
      verbose: 0,
    });
    expect((history.loss[0] as number) - (bare.loss[0] as number)).toBeCloseTo(penalty, 4);
  });

  test('weights without a constraint stay as they are, and nothing leaks', () => {
    const model = constrained(0);
    const bias = model.weights.at(-1)!.read().dataSync().slice();
    const before = tf.memory().numTensors;
    applyConstraints(model.weights);
    expect(tf.memory().numTensors).toBe(before);
    expect(model.weights.at(-1)!.read().dataSync()).toEqual(bias);
  });
});
