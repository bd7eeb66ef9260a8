import * as tf from '@tensorflow/tfjs';
import { CompositeLayer, type LayerArgs } from '../../src/layers/composite_layer.js';
import { checkLayer } from '../../src/testing/index.js';
import { describeBackends } from '../support/backends.js';
import { randomTensor } from '../support/check_directional.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';
import { saveAndLoad } from '../support/save_and_load.js';

/** gain · outer(inner(x)): a weight of its own and two layers, both of TensorFlow.js. */
class Pair extends CompositeLayer {
  static readonly className = 'Pair';
  readonly inner: tf.layers.Layer;
  readonly outer: tf.layers.Layer;
  private gain: tf.LayerVariable | null = null;

  constructor(private readonly args: LayerArgs & { units: number }) {
    super(args);
    const kernelRegularizer = tf.regularizers.l2({ l2: 0.5 });
    this.inner = this.track(
      tf.layers.dense({ name: 'inner', units: args.units, kernelRegularizer }),
    );
    this.outer = this.track(tf.layers.dense({ name: 'outer', units: 3, useBias: false }));
  }

  override build(inputShape: tf.Shape): void {
    const regularizer = tf.regularizers.l1({ l1: 0.25 });
    this.gain = this.addWeight('gain', [3], 'float32', tf.initializers.ones(), regularizer);
    this.buildSubLayer(this.inner, inputShape);
    this.buildSubLayer(this.outer, [null, this.args.units]);
    super.build(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() =>
      tf.mul(this.gain!.read(), this.outer.apply(this.inner.apply(inputs)) as tf.Tensor),
    );
  }

  override computeOutputShape(inputShape: tf.Shape): tf.Shape {
    return [...inputShape.slice(0, -1), 3];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), units: this.args.units };
  }
}
tf.serialization.registerClass(Pair);

function modelOf(...layers: tf.layers.Layer[]): tf.LayersModel {
  const x = tf.input({ shape: [3] });
  const outputs = layers.reduce((y, layer) => layer.apply(y) as tf.SymbolicTensor, x);
  return tf.model({ inputs: x, outputs });
}

describeBackends('CompositeLayer', () => {
  test('keeps the contract of a layer', async () => {
    await checkLayer(() => new Pair({ units: 5 }), { shape: [2, 3] });
  });

  test('a model of two, one frozen, comes back bit-equal from saving', async () => {
    const model = modelOf(new Pair({ units: 5 }), new Pair({ units: 7, trainable: false }));
    const loaded = await saveAndLoad(model);
    tf.tidy(() => {
      const x = randomTensor([2, 3], 1);
      expectIdentical(loaded.predict(x) as tf.Tensor, model.predict(x) as tf.Tensor);
    });
  });

  test('fit trains the weights of sub-layers and counts all losses of regularizers, once', async () => {
    const layer = new Pair({ units: 5 });
    const model = modelOf(layer);
    model.compile({ optimizer: tf.train.sgd(0), loss: 'meanSquaredError' });
    const x = randomTensor([2, 3], 1);
    const y = model.predict(x) as tf.Tensor;
    const squares = tf.tidy(() => tf.sum(tf.square(layer.inner.weights[0].read())).dataSync()[0]);
    const loss = (await model.trainOnBatch(x, y)) as number;
    expectClose(tf.scalar(loss), 0.25 * 3 + 0.5 * squares, { atol: 5e-5 });
    const before = model.getWeights().map((w) => w.dataSync().slice());
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
    await model.trainOnBatch(x, tf.zerosLike(y));
    const moved = model.getWeights().map((w, i) => w.dataSync().some((v, k) => v !== before[i][k]));
    expect(moved).toEqual([true, true, true, true]);
    tf.dispose([x, y]);
  });
});

describe('CompositeLayer', () => {
  const count = ({ trainableWeights, nonTrainableWeights, weights }: tf.layers.Layer) => [
    trainableWeights.length,
    nonTrainableWeights.length,
    weights.length,
  ];

  test('weights are its own, then those of the sub-layers, under nested names', () => {
    const layer = new Pair({ units: 5, name: 'pair' });
    modelOf(layer);
    expect(layer.weights.map((w) => w.originalName)).toEqual([
      'pair/gain',
      'pair/inner/kernel',
      'pair/inner/bias',
      'pair/outer/kernel',
    ]);
    expect(layer.countParams()).toBe(3 + 3 * 5 + 5 + 5 * 3);
  });

  test('freezing it freezes all; freezing a sub-layer freezes only that', () => {
    const layer = new Pair({ units: 5 });
    const model = modelOf(layer);
    expect(count(layer)).toEqual([4, 0, 4]);
    layer.trainable = false;
    expect(count(layer)).toEqual([0, 4, 4]);
    expect(model.trainableWeights).toHaveLength(0);
    layer.trainable = true;
    layer.inner.trainable = false;
    expect(count(layer)).toEqual([2, 2, 4]);
    const frozen = new Pair({ units: 5, trainable: false });
    modelOf(frozen);
    expect(count(frozen)).toEqual([0, 4, 4]);
  });

  test('dispose frees the weights of sub-layers', () => {
    const before = tf.memory().numTensors;
    const layer = new Pair({ units: 5 });
    const x = tf.ones([1, 3]);
    tf.dispose(layer.apply(x) as tf.Tensor);
    layer.dispose();
    x.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
