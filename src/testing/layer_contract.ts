/** What every layer owes its users, one function a promise. Each throws a plain Error that says what is wrong. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { assert } from '../util/errors.js';
import { normal } from '../util/random.js';
import { shapeText } from '../util/shapes.js';
import { checkNoLeaks } from './check_no_leaks.js';
import {
  callLayer,
  copyWeights,
  findConfigDifference,
  findDifference,
  modelOf,
  predictOnHost,
  type Layer,
} from './layer_subject.js';
import { listOutputs, runOnHost, tapeGradients, type HostOutput } from './tape.js';

/** What the promises are tried on. */
export interface Subject {
  /** Makes another layer of the same options. */
  make: () => Layer;
  /** A built layer. */
  layer: Layer;
  /** Its inputs. */
  inputs: tf.Tensor[];
  /** What `layer` makes of `inputs`. */
  outputs: HostOutput[];
  /** Remembers layers whose weights are to be disposed of in the end. */
  own: <T extends Layer | Layer[]>(layers: T) => T;
}

/** config → JSON → config is the same, and a layer made from it computes the same. */
export async function checkConfig({ layer, inputs, outputs, own }: Subject): Promise<void> {
  const config = layer.getConfig();
  const json = JSON.parse(JSON.stringify(config)) as tf.serialization.ConfigDict;
  const lost = findConfigDifference(config, json);
  assert(
    lost === undefined,
    () =>
      `getConfig must return what JSON can hold, but ${lost}. Return numbers, strings, arrays and plain objects.`,
  );
  const type = layer.constructor as tf.serialization.SerializableConstructor<Layer>;
  const again = own(type.fromConfig(type, json));
  const changed = findConfigDifference(config, again.getConfig());
  assert(
    changed === undefined,
    () =>
      `a layer made from its config must have the same config, but ${changed}. Does the constructor keep it?`,
  );
  await runOnHost(() => callLayer(again, inputs));
  try {
    copyWeights(layer, again);
  } catch (error) {
    throw new Error(
      `a layer made from its config must have the same weights: ${String(error)}. ${FORGOTTEN}`,
      {
        cause: error,
      },
    );
  }
  const difference = findDifference(await runOnHost(() => callLayer(again, inputs)), outputs);
  assert(
    difference === undefined,
    () => `a layer made from its config must compute the same, but ${difference}. ${FORGOTTEN}`,
  );
}

const FORGOTTEN = 'Does getConfig return every constructor option?';

/** The shapes that the layer announces are those that it computes; a model predicts what an eager call gives. */
export async function checkShape({ make, layer, inputs, outputs, own }: Subject): Promise<void> {
  const inModel = own(make());
  const model = modelOf([inModel], inputs);
  const announce = (shape: tfl.Shape | tfl.Shape[]): tfl.Shape[] =>
    (Array.isArray(shape[0]) ? shape : [shape]) as tfl.Shape[];
  const shapes = inputs.map((x) => x.shape as tfl.Shape);
  const computed = announce(layer.computeOutputShape(shapes.length === 1 ? shapes[0] : shapes));
  const symbolic = model.outputs.map((y) => y.shape);
  for (const [name, announced] of [
    ['computeOutputShape', computed],
    ['the symbolic output in a model', symbolic],
  ] as const) {
    assert(
      announced.length === outputs.length,
      () => `${name} must announce ${outputs.length} outputs, got ${announced.length}.`,
    );
    outputs.forEach(({ shape }, k) => {
      const fits =
        announced[k].length === shape.length &&
        announced[k].every((size, axis) => size === shape[axis] || size === null);
      assert(
        fits,
        () =>
          `${name} must be the shape that call returns, got ${shapeText(announced[k])} for ${shapeText(shape)}.`,
      );
    });
  }
  copyWeights(layer, inModel);
  const difference = findDifference(await predictOnHost(model, inputs), outputs);
  assert(
    difference === undefined,
    () =>
      `predict of a model must give what an eager call gives, but ${difference}. ` +
      `Does the layer depend on call arguments, which predict drops?`,
  );
}

/** Weight names are unique, and calling again makes no new weights. */
export async function checkWeights({ layer, inputs }: Subject): Promise<void> {
  const names = layer.weights.map((w) => w.originalName);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  assert(twice === undefined, () => `weight names must be unique, got '${twice}' more than once.`);
  await runOnHost(() => callLayer(layer, inputs));
  const after = layer.weights.map((w) => w.originalName);
  assert(
    after.join() === names.join(),
    () =>
      `a second call must make no new weights, got ${after.length} after ${names.length}: ${after.join(', ')}.`,
  );
}

/** Two layers of the same options live side by side in one process, and in one model. */
export async function checkTwice({ make, layer, inputs, outputs, own }: Subject): Promise<void> {
  const pair = own([make(), make()]);
  const named = pair[0].name === pair[1].name; // a fixed name: two of them do not fit into one model
  const models = named ? pair.map((one) => modelOf([one], inputs)) : [modelOf(pair, inputs)];
  for (const one of pair) copyWeights(layer, one);
  const got = (await Promise.all(models.map((model) => predictOnHost(model, inputs)))).flat();
  const difference = findDifference(got, [...outputs, ...outputs]);
  assert(
    difference === undefined,
    () => `a second layer with the same weights must compute the same, but ${difference}.`,
  );
}

/** A saved model comes back with tf.loadLayersModel, predicts the same bits and has the same config. */
export async function checkSave({ make, layer, inputs, outputs, own }: Subject): Promise<void> {
  const inModel = own(make());
  const model = modelOf([inModel], inputs);
  copyWeights(layer, inModel);
  let saved: tf.io.ModelArtifacts = {};
  await model.save(
    tf.io.withSaveHandler((artifacts) => {
      // What storage would bring back: text for the topology, bytes for the weights.
      saved = {
        ...artifacts,
        modelTopology: JSON.parse(JSON.stringify(artifacts.modelTopology)) as object,
      };
      return Promise.resolve({
        modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' },
      });
    }),
  );
  let loaded: tfl.LayersModel;
  try {
    loaded = await tfl.loadLayersModel(tf.io.fromMemory(saved));
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new Error(
      `tf.loadLayersModel must read a saved model, but it says: ${text} ` +
        `(A layer class needs a static className and tf.serialization.registerClass.)`,
      { cause: error },
    );
  }
  own(loaded.layers);
  const difference = findDifference(await predictOnHost(loaded, inputs), outputs);
  assert(
    difference === undefined,
    () => `a loaded model must predict the same bits, but ${difference}. ${FORGOTTEN}`,
  );
  const changed = findConfigDifference(
    inModel.getConfig(),
    loaded.getLayer(inModel.name).getConfig(),
  );
  assert(
    changed === undefined,
    () =>
      `a loaded layer must have the same config, but ${changed}. Saving changes the case of names and string values.`,
  );
}

/** A small step of gradient descent towards random targets, by tf.LayersModel's own training, lowers the loss. */
export async function checkStep(
  { make, layer, inputs, outputs, own }: Subject,
  seed: number,
): Promise<void> {
  const inModel = own(make());
  const model = modelOf([inModel], inputs);
  copyWeights(layer, inModel);
  const targets = outputs.map(({ shape, values }, k) =>
    tf.tensor(normal(seed, 2 ** 41 + k, values.length), shape),
  );
  const distance = (): tf.Scalar =>
    tf.tidy(() => {
      const terms = listOutputs(callLayer(inModel, inputs)).map((y, k) =>
        tf.mean<tf.Scalar>(tf.squaredDifference(y, targets[k])),
      );
      return terms.reduce((a, b) => tf.add(a, b));
    });
  const read = async (): Promise<number> => (await runOnHost(distance))[0].values[0];
  const before = await read();
  const slope = await squaredNorm(
    distance,
    inModel.trainableWeights.map((w) => w.read()),
  );
  assert(slope > 0, () => `no trainable weight has a gradient of the loss: nothing can be learnt.`);
  const learningRate = (0.01 * before) / slope; // a step that should lower the loss by about 1 %
  const optimizer = tf.train.sgd(learningRate);
  try {
    model.compile({ optimizer, loss: 'meanSquaredError' });
    await model.trainOnBatch(single(inputs), single(targets));
    const after = await read();
    assert(
      after < before,
      () =>
        `one step of gradient descent must lower the loss, got ${before} before and ${after} after.`,
    );
  } finally {
    optimizer.dispose();
    tf.dispose(targets);
  }
}

function single(tensors: tf.Tensor[]): tf.Tensor | tf.Tensor[] {
  return tensors.length === 1 ? tensors[0] : tensors;
}

async function squaredNorm(loss: () => tf.Scalar, by: tf.Tensor[]): Promise<number> {
  const gradients = tf.tidy(() =>
    tapeGradients(loss, by, [Float32Array.of(1)]).filter((gradient) => gradient !== null),
  );
  let sum = 0;
  for (const gradient of gradients) {
    for (const value of await gradient.data()) sum += value ** 2;
  }
  tf.dispose(gradients);
  return sum;
}

/** Forward, backward and dispose leave no tensor behind. */
export function checkLeaks(
  { make, layer, inputs }: Subject,
  cotangents: (Float32Array | null)[],
): void {
  checkNoLeaks(() => listOutputs(callLayer(layer, inputs)), 'forward');
  const by = [
    ...layer.trainableWeights.map((w) => w.read()),
    ...inputs.filter((x) => x.dtype === 'float32'),
  ];
  if (by.length > 0 && cotangents.some((c) => c !== null)) {
    const backward = (): tf.Tensor[] =>
      tapeGradients(() => callLayer(layer, inputs), by, cotangents).filter(
        (gradient) => gradient !== null,
      );
    checkNoLeaks(backward, 'backward');
  }
  checkNoLeaks(() => {
    const another = make();
    tf.dispose(listOutputs(callLayer(another, inputs)));
    another.dispose();
    return [];
  }, 'build, call and dispose');
}
