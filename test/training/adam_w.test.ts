import * as tf from '@tensorflow/tfjs';
import { adamW, AdamW, isAdamW } from '../../src/training/adam_w.js';
import { warmupCosine } from '../../src/training/schedules.js';
import { describeBackends, useBackend } from '../support/backends.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';

let unique = 0;
const variable = (values: number[], name = 'layer/kernel'): tf.Variable =>
  tf.tidy(() => tf.variable(tf.tensor1d(values), true, `test${unique++}/${name}`));

/** One step with a given gradient. */
const step = (optimizer: AdamW, weight: tf.Variable, gradient: number[]): void =>
  tf.tidy(() => optimizer.applyGradients({ [weight.name]: tf.tensor1d(gradient) }));

describeBackends('adamW', () => {
  test('two steps give the numbers worked out by the formula', () => {
    const [lr, b1, b2, eps, wd] = [0.1, 0.7, 0.8, 0.01, 0.5];
    const optimizer = adamW({
      learningRate: lr,
      beta1: b1,
      beta2: b2,
      epsilon: eps,
      weightDecay: wd,
    });
    const weight = variable([1, -2, 3]);
    let p = [1, -2, 3];
    let m = [0, 0, 0];
    let v = [0, 0, 0];
    [
      [0.5, -1, 0],
      [2, 0.25, 1e-3],
    ].forEach((g, t) => {
      step(optimizer, weight, g);
      p = p.map((x) => x - lr * wd * x);
      m = m.map((x, i) => b1 * x + (1 - b1) * g[i]);
      v = v.map((x, i) => b2 * x + (1 - b2) * g[i] ** 2);
      const c1 = 1 - b1 ** (t + 1);
      const c2 = 1 - b2 ** (t + 1);
      p = p.map((x, i) => x - (lr * (m[i] / c1)) / (Math.sqrt(v[i] / c2) + eps));
    });
    expectClose(weight, p, { atol: 1e-6 });
    expectClose(optimizer.momentsOf(weight.name)!.first, m, { atol: 1e-6 });
    expectClose(optimizer.momentsOf(weight.name)!.second, v, { atol: 1e-6 });
    optimizer.dispose();
    weight.dispose();
  });

  test('decay goes by name, whatever the rank, with and without the suffix of a second copy', () => {
    const decaying = [
      'a/query/kernel',
      'a/query/kernel_1',
      'e/embeddings',
      'e/reverse_embeddings_3',
    ];
    decaying.push('r/recurrent_kernel', 'kernel');
    const staying = [
      'a/query/bias',
      'a/query/bias_1',
      'n/gamma',
      'n/beta',
      'kernel/scale',
      'e/embeddings/bias',
    ];
    const optimizer = adamW({ learningRate: 0.5, weightDecay: 0.5 });
    for (const name of [...decaying, ...staying]) {
      const weight = tf.tidy(() => tf.variable(tf.ones([2, 3]), true, `decay${unique++}/${name}`));
      tf.tidy(() => optimizer.applyGradients([{ name: weight.name, tensor: tf.zeros([2, 3]) }]));
      expectIdentical(weight, tf.fill([2, 3], decaying.includes(name) ? 0.75 : 1));
      weight.dispose();
    }
    optimizer.dispose();
  });

  test('a filter replaces the rule and gets the plain name', () => {
    const seen: string[] = [];
    const decay = (name: string): boolean => (seen.push(name), name.endsWith('bias'));
    const optimizer = adamW({ learningRate: 0.5, weightDecay: 0.5, decay });
    const kernel = variable([1]);
    const bias = variable([1], 'layer/bias_2');
    step(optimizer, kernel, [0]);
    step(optimizer, bias, [0]);
    expectIdentical(kernel, [1]);
    expectIdentical(bias, [0.75]);
    expect(seen[1]).toMatch(/layer\/bias$/);
    tf.dispose([kernel, bias]);
    optimizer.dispose();
  });

  test('clipNorm and scale act on the gradient before the moments', () => {
    const plain = adamW();
    const clipping = adamW({ clipNorm: 1 });
    const [a, b] = [variable([0, 0]), variable([0, 0])];
    step(
      plain,
      a,
      [0.6, 0.8].map((g) => (g * 1) / (1 + 1e-7)),
    );
    tf.tidy(() => clipping.applyGradients({ [b.name]: tf.tensor1d([60, 80]) }, tf.scalar(0.1)));
    expectClose(clipping.momentsOf(b.name)!.first, plain.momentsOf(a.name)!.first, { atol: 1e-6 });
    expectClose(clipping.momentsOf(b.name)!.second, plain.momentsOf(a.name)!.second, {
      atol: 1e-6,
    });
    tf.dispose([a, b]);
    plain.dispose();
    clipping.dispose();
  });

  test('steps leave no tensors behind, and dispose frees the moments', () => {
    const before = tf.memory().numTensors;
    const optimizer = adamW({ clipNorm: 1 });
    const weight = variable([1, 2]);
    step(optimizer, weight, [1, 1]);
    const after = tf.memory().numTensors;
    for (let i = 0; i < 3; i++) step(optimizer, weight, [1, 1]);
    expect(tf.memory().numTensors).toBe(after);
    optimizer.dispose();
    weight.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('minimize works, and a weight without gradient is left alone', () => {
    const optimizer = adamW({ learningRate: 0.1, weightDecay: 0 });
    const [x, y] = [variable([3]), variable([4])];
    for (let i = 0; i < 60; i++)
      optimizer.minimize(() => tf.sum<tf.Scalar>(tf.square(x)), false, [x, y]);
    expect(Math.abs(x.dataSync()[0])).toBeLessThan(0.3);
    expectIdentical(y, [4]);
    tf.dispose([x, y]);
    optimizer.dispose();
  });
});

const fromConfig = (config: tf.serialization.ConfigDict): AdamW =>
  AdamW.fromConfig<tf.serialization.Serializable>(AdamW, config) as AdamW;

describe('adamW state', () => {
  beforeAll(() => useBackend('cpu'));

  /** Two weights whose names a second process, or a second copy of the model, would give them. */
  const pair = (suffix: string, scope = 'model'): tf.Variable[] => {
    const make = (name: string, values: number[]): tf.Variable =>
      tf.tidy(() => tf.variable(tf.tensor1d(values), true, `${scope}${unique++}/${name}${suffix}`));
    return [make('kernel', [1, 2]), make('bias', [3])];
  };
  const train = (optimizer: AdamW, [kernel, bias]: tf.Variable[]): void =>
    tf.tidy(() =>
      optimizer.applyGradients({
        [kernel.name]: tf.tensor1d([0.3, -0.1]),
        [bias.name]: tf.tensor1d([0.7]),
      }),
    );

  test('state moves to another copy of the model, by name or in order', async () => {
    const first = adamW();
    const weights = pair('');
    train(first, weights);
    const state = await first.getWeights();
    expect(state.map(({ name }) => name.replace(/model\d+/, 'model'))).toEqual([
      'iter',
      'model/kernel/m',
      'model/bias/m',
      'model/kernel/v',
      'model/bias/v',
    ]);
    const copies = pair('_1');
    copies.forEach((copy, i) => copy.assign(weights[i]));
    const second = adamW();
    await second.setWeights(state);
    expect(second.iterations).toBe(1);
    train(first, weights);
    train(second, copies);
    copies.forEach((copy, i) => expectIdentical(copy, weights[i]));
    expect(second.iterations).toBe(2);
    state[0].tensor.dispose();
    tf.dispose([...weights, ...copies]);
    first.dispose();
    second.dispose();
  });

  test('by name wins over order', async () => {
    const first = adamW();
    const weights = [variable([1], 'x/kernel'), variable([2], 'y/kernel')];
    tf.tidy(() =>
      first.applyGradients(weights.map(({ name }, i) => ({ name, tensor: tf.tensor1d([i + 1]) }))),
    );
    const state = await first.getWeights();
    const second = adamW();
    await second.setWeights(state);
    tf.tidy(() =>
      second.applyGradients(
        [1, 0].map((i) => ({ name: weights[i].name, tensor: tf.tensor1d([0]) })),
      ),
    );
    expectClose(second.momentsOf(weights[1].name)!.first, [0.9 * 0.2]);
    state[0].tensor.dispose();
    tf.dispose(weights);
    first.dispose();
    second.dispose();
  });

  test('state of another model is refused', async () => {
    const first = adamW();
    const weights = pair('');
    train(first, weights);
    const state = await first.getWeights();
    const second = adamW();
    await second.setWeights(state);
    const other = variable([1, 2, 3], 'other/kernel');
    expect(() => step(second, other, [1, 1, 1])).toThrow(
      /AdamW: the loaded state must belong to the weights in training, got no moments of shape \[3\]/,
    );
    await expect(second.setWeights(state.slice(0, 2))).rejects.toThrow(
      'AdamW.setWeights: the state must be the step, first moments',
    );
    state[0].tensor.dispose();
    tf.dispose([...weights, other]);
    first.dispose();
    second.dispose();
  });

  test('config goes through JSON, schedules included', () => {
    const learningRate = warmupCosine({ learningRate: 0.2, warmupSteps: 2, totalSteps: 7 });
    const optimizer = adamW({ learningRate, beta2: 0.95, weightDecay: 0.3, clipNorm: 2 });
    const config = JSON.parse(JSON.stringify(optimizer.getConfig()));
    const again = fromConfig(config);
    expect(again.getConfig()).toEqual(config);
    expect(again.learningRate).toBe(0.1);
    expect(isAdamW(again)).toBe(true);
    expect(isAdamW(tf.train.adam())).toBe(false);
  });

  test('what cannot be saved is asked for, not guessed', () => {
    const optimizer = adamW({ learningRate: () => 0.1, decay: () => false });
    const again = fromConfig(JSON.parse(JSON.stringify(optimizer.getConfig())));
    const weight = variable([1]);
    expect(() => step(again, weight, [1])).toThrow('Set optimizer.decay before');
    again.decay = () => false;
    expect(() => step(again, weight, [1])).toThrow('Set optimizer.learningRate before');
    again.learningRate = 0.1;
    step(again, weight, [1]);
    expectClose(weight, [0.9]);
    weight.dispose();
    again.dispose();
  });

  test('learningRate is a schedule of the step, or what it was set to', () => {
    const optimizer = adamW({ learningRate: (s) => 10 ** -(s + 1), weightDecay: 0 });
    const weight = variable([0]);
    step(optimizer, weight, [1]);
    expectClose(weight, [-0.1]);
    expect(optimizer.learningRate).toBeCloseTo(0.01);
    step(optimizer, weight, [1]);
    expectClose(weight, [-0.11]);
    optimizer.learningRate = 0.5;
    expect(optimizer.learningRate).toBe(0.5);
    optimizer.dispose();
    weight.dispose();
  });

  test('bad options are refused by name', () => {
    expect(() => adamW({ beta1: 1 })).toThrow('adamW: beta1 must be a finite number between 0 and');
    expect(() => adamW({ learningRate: NaN })).toThrow(
      'adamW: learningRate must be a finite number of at least 0',
    );
    expect(() => adamW({ weight_decay: 1 } as never)).toThrow("Did you mean 'weightDecay'?");
    expect(() => adamW({ decay: 'kernel' as never })).toThrow('adamW: decay must be a function');
    const optimizer = adamW({ learningRate: () => NaN });
    expect(() => optimizer.applyGradients({})).toThrow(
      'the learning rate must be finite, got NaN for step 0',
    );
    expect(() => adamW().applyGradients({ nowhere: tf.scalar(1) })).toThrow(
      "AdamW: a gradient must belong to a variable, got name='nowhere'",
    );
  });

  test('is saved and loaded with a model that TensorFlow.js saves', async () => {
    const build = (): tf.LayersModel =>
      tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [3], name: 'head' })] });
    const model = build();
    const learningRate = warmupCosine({ learningRate: 0.1, warmupSteps: 2, totalSteps: 9 });
    model.compile({ optimizer: adamW({ learningRate }), loss: 'meanSquaredError' });
    const [x, y] = [tf.ones([5, 3]), tf.ones([5, 2])];
    const train = (m: tf.LayersModel) => m.fit(x, y, { epochs: 2, batchSize: 5, verbose: 0 });
    await train(model);
    let saved: tf.io.ModelArtifacts | undefined;
    const handler = tf.io.withSaveHandler((artifacts) => {
      saved = artifacts;
      return Promise.resolve({
        modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' },
      });
    });
    await model.save(handler, { includeOptimizer: true });
    const loaded = await tf.loadLayersModel(tf.io.fromMemory(saved!));
    const optimizer = loaded.optimizer as AdamW;
    expect(isAdamW(optimizer)).toBe(true);
    expect(optimizer.iterations).toBe(2);
    expect(optimizer.learningRate).toBe(learningRate(2));
    await train(model);
    await train(loaded);
    model.getWeights().forEach((weight, i) => expectIdentical(loaded.getWeights()[i], weight));
  });
});
