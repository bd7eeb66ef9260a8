/** Models of Python predict, train and save in JavaScript. */
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { pretrained } from 'tfjs-transformers';
import { describeBackends } from '../../support/backends.js';
import { loadFixtures, type FixtureCase } from '../../support/fixtures.js';
import { expectPredictions, KERAS_KINDS, predictCase } from '../../support/keras_models.js';
import { saveAndLoad } from '../../support/save_and_load.js';

/** The layer of custom_layer.keras: amplitude·tanh(scale·x), the scale learned. */
class ScaledTanh extends tf.layers.Layer {
  static className = 'ScaledTanh';
  private scale!: tf.LayerVariable;
  private readonly amplitude: number;

  constructor(config: { amplitude: number; name: string }) {
    super(config);
    this.amplitude = config.amplitude;
  }

  override build(shape: tf.Shape | tf.Shape[]): void {
    const width = (Array.isArray(shape[0]) ? shape[0] : (shape as tf.Shape)).at(-1)!;
    this.scale = this.addWeight('scale', [width], 'float32', tf.initializers.ones());
    super.build(shape);
  }

  override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return shape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() =>
      tf.mul(tf.tanh(tf.mul([inputs].flat()[0], this.scale.read())), this.amplitude),
    );
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), amplitude: this.amplitude };
  }
}
tf.serialization.registerClass(ScaledTanh);

const folder = join(__dirname, '../../fixtures');
const options = { customObjects: { 'my_package>ScaledTanh': ScaledTanh } };
const all = KERAS_KINDS.flatMap((kind) =>
  loadFixtures(kind).flatMap((fixture) =>
    Object.entries(fixture.parameters.files as Record<string, string>)
      .filter(([form]) => form !== 'weights')
      .map(([form, file]) => ({ fixture, form, path: join(folder, kind, file) })),
  ),
);
const loadable = all.filter(({ fixture }) => !fixture.parameters.refused);
const title = ({ fixture, form }: (typeof all)[number]): string => `${fixture.name} ${form}`;
type One = (typeof all)[number];

/** One file of every case: the others hold the same. */
const cases = [...new Map(loadable.map((one) => [one.fixture.name, one])).values()];

/** Targets of a case: the outputs that Python predicted. */
function targets(model: tf.LayersModel, fixture: FixtureCase): tf.Tensor[] {
  const names = fixture.parameters.outputs as string[];
  const named = names.every((name) => model.outputNames.includes(name));
  return model.outputNames.map((name, i) => fixture.tensor(`expected/${named ? name : names[i]}`));
}

/** A number for each output: TensorFlow.js adds those of several outputs before it takes their means. */
const squares = (y: tf.Tensor, p: tf.Tensor): tf.Scalar => tf.mean(tf.squaredDifference(y, p));

/** What TensorFlow.js cannot differentiate, by case. */
function withoutGradient(name: string, backend: string): RegExp | null {
  if (name === 'convolution') return /dilation rates greater than 1 are not yet supported/;
  const isWasm = backend.startsWith('wasm');
  return isWasm && ['image', 'patches'].includes(name) ? /not registered for backend 'wasm'/ : null;
}

describeBackends('loadKeras', (backend) => {
  test.each(loadable.map((one) => [title(one), one] as const))(
    '%s predicts what Python predicted',
    async (_, { fixture, path }: One) => {
      const before = tf.memory().numTensors;
      const model = await pretrained.loadKeras(path, options);
      expectPredictions(model, fixture);
      model.dispose();
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  test.each(cases.map((one) => [one.fixture.name, one] as const))(
    '%s trains, and comes back from model.save',
    async (_, { fixture, path }: One) => {
      const model = await pretrained.loadKeras(path, options);
      const predicted = [...predictCase(model, fixture).values()];
      const again = await saveAndLoad(model);
      const after = [...predictCase(again, fixture).values()];
      predicted.forEach((output, i) => {
        expect(Array.from(after[i].dataSync())).toEqual(Array.from(output.dataSync()));
      });
      expect(again.getUserDefinedMetadata()).toEqual(model.getUserDefinedMetadata());
      if (model.trainableWeights.length > 0) {
        model.compile({ optimizer: tf.train.sgd(1e-3), loss: squares });
        const inputs = model.inputNames.map((name) => fixture.tensor(name));
        const trained = model.fit(inputs, targets(model, fixture), { epochs: 1, verbose: 0 });
        const missing = withoutGradient(fixture.name, backend);
        if (missing) await expect(trained).rejects.toThrow(missing);
        else expect(Number.isFinite((await trained).history.loss[0])).toBe(true);
      }
    },
  );
});
