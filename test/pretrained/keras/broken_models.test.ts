/** Configurations and weights that do not fit together give an error that names the place, and leave nothing behind. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { pretrained } from 'tfjs-transformers';

const folder = join(__dirname, '../../fixtures/keras_models_more/sequential_pooling.tfjs');
const fixture = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')) as {
  modelTopology: { model_config: Model };
  weightsManifest: { paths: string[]; weights: tf.io.WeightsManifestEntry[] }[];
};
const weightData = new Uint8Array(readFileSync(join(folder, fixture.weightsManifest[0].paths[0])));

interface Layer {
  class_name: string;
  config: Record<string, unknown>;
  name?: string;
  inbound_nodes?: unknown[];
}
interface Model {
  class_name: string;
  config: { name: string; layers: Layer[]; input_layers?: unknown; output_layers?: unknown };
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** A functional model of Keras 3 in memory: x → dense → output. */
function functional(): Model {
  const tensor = (name: string): object => ({
    class_name: '__keras_tensor__',
    config: { shape: [null, 3], dtype: 'float32', keras_history: [name, 0, 0] },
  });
  const dense = (name: string, from: string): Layer => ({
    class_name: 'Dense',
    name,
    config: { name, trainable: true, units: 3, activation: 'linear', use_bias: false },
    inbound_nodes: [{ args: [tensor(from)], kwargs: {} }],
  });
  const input = { name: 'x', batch_shape: [null, 3], dtype: 'float32' };
  return {
    class_name: 'Functional',
    config: {
      name: 'made',
      layers: [
        { class_name: 'InputLayer', name: 'x', config: input, inbound_nodes: [] },
        dense('a', 'x'),
        dense('b', 'a'),
      ],
      input_layers: [['x', 0, 0]],
      output_layers: [['b', 0, 0]],
    },
  };
}

function handler(
  model: Model,
  weightSpecs: tf.io.WeightsManifestEntry[] = ['a', 'b'].map((name) => ({ name: `${name}/kernel`, shape: [3, 3], dtype: 'float32' })), // prettier-ignore
  data: ArrayBuffer = new Float32Array(weightSpecs.reduce((sum, { shape }) => sum + tf.util.sizeFromShape(shape), 0)).buffer, // prettier-ignore
): tf.io.IOHandler {
  return {
    load: async () => ({
      modelTopology: { keras_version: '3.15.1', model_config: model } as object,
      weightSpecs,
      weightData: data,
    }),
  };
}

async function errorOf(source: tf.io.IOHandler): Promise<string> {
  const before = tf.memory().numTensors;
  const error: unknown = await pretrained.loadKeras(source).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(Error);
  expect(tf.memory().numTensors).toBe(before);
  return (error as Error).message;
}

test('the model as it is loads', async () => {
  const before = tf.memory().numTensors;
  const model = await pretrained.loadKeras(handler(functional()));
  expect(model.layers.map(({ name }) => name)).toEqual(['x', 'a', 'b']);
  model.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

describe('graphs', () => {
  type Change = (model: Model) => void;
  const node = (model: Model, i: number): { args: unknown[]; kwargs: Record<string, unknown> } =>
    model.config.layers[i].inbound_nodes![0] as never;
  const history = (model: Model, i: number): unknown[] =>
    (node(model, i).args[0] as { config: { keras_history: unknown[] } }).config.keras_history;

  test.each<[string, Change, RegExp]>([
    ['a cycle', (m) => (history(m, 1)[0] = 'b'), /layer '[ab]' \(config\.layers\[[12]\]\) needs its own output: a cycle/],
    ['a layer that is not there', (m) => (history(m, 1)[0] = 'nobody'), /layer 'a' \(config\.layers\[1\]\) needs layer 'nobody'/],
    ['a call that is not there', (m) => (history(m, 2)[1] = 5), /needs call 5 of layer 'a', which has 1/],
    ['an output that is not there', (m) => (history(m, 2)[2] = 3), /layer 'a' has no output 3/],
    ['a broken reference', (m) => (history(m, 2)[1] = -1), /must be named by \[layer, node, output\]/],
    ['two layers of one name', (m) => (m.config.layers[2].config.name = 'a'), /two layers have the name 'a'/],
    ['no outputs', (m) => (m.config.output_layers = []), /must have inputs and outputs, got 1 and 0/],
    ['an output that is no layer', (m) => (m.config.output_layers = [['c', 0, 0]]), /output_layers needs layer 'c'/],
    ['an input that is not declared', (m) => (m.config.input_layers = [['a', 0, 0]]), /input_layers must name input layers/],
    ['layers that are no list', (m) => (m.config.layers = {} as never), /only functional and sequential models/],
    ['a layer that is none', (m) => (m.config.layers[1] = 3 as never), /config\.layers\[1\] must be a layer, got 3/],
    ['a layer without a class', (m) => (m.config.layers[1].class_name = ''), /must have a name and a class_name/],
    ['calls that are no list', (m) => (m.config.layers[1].inbound_nodes = 3 as never), /inbound_nodes must be a list/],
    ['an unknown option', (m) => (m.config.layers[1].config.magic = 1), /a \(Dense, config\.layers\[1\]\): option magic=1/],
    ['an unknown activation', (m) => (m.config.layers[1].config.activation = 'zap'), /activation 'zap'/],
    ['an unknown argument', (m) => (node(m, 1).kwargs.scale = 2), /call argument scale=2/],
    ['a missing argument', (m) => (node(m, 1).args = []), /call argument inputs=missing/],
    ['sparse inputs', (m) => (m.config.layers[0].config.sparse = true), /sparse inputs/],
    ['a string input', (m) => (m.config.layers[0].config.dtype = 'string'), /x \(InputLayer, config\.layers\[0\]\): dtype 'string'/],
    ['a quantized layer', (m) => (m.config.layers[1].config.quantization_config = { bits: 8 }), /quantization_config=/],
  ])('%s', async (_, change, text) => {
    const model = functional();
    change(model);
    expect(await errorOf(handler(model))).toMatch(text);
  }); // prettier-ignore

  test('nested too deep', async () => {
    let nested: Model = functional();
    for (let i = 0; i < 40; i++) {
      const outer = functional();
      outer.config.layers[1] = { ...outer.config.layers[1], ...nested };
      nested = outer;
    }
    expect(await errorOf(handler(nested))).toMatch(/nest deeper than/);
  });
});

describe('weights', () => {
  const spec = (name: string, shape: number[]): tf.io.WeightsManifestEntry => ({ name, shape, dtype: 'float32' }); // prettier-ignore

  test('that are missing, too many or of another shape are listed together', async () => {
    const specs = [spec('a/kernel', [3, 4]), spec('c/kernel', [2])];
    const text = await errorOf(handler(functional(), specs));
    expect(text).toMatch(
      /weight kernel \[3,3\] of layer 'a' \(config\.layers\[1\]\) has shape \[3,4\]/,
    );
    expect(text).toMatch(/weight kernel \[3,3\] of layer 'b' \(config\.layers\[2\]\) is missing/);
    expect(text).toMatch(/c\/kernel is in the file, and no layer has such a weight/);
  });

  test('of an optimizer are no weights of layers', async () => {
    const specs = [
      spec('a/kernel', [3, 3]),
      spec('b/kernel', [3, 3]),
      spec('optimizer/vars/0', [1]),
    ];
    const model = await pretrained.loadKeras(handler(functional(), specs));
    model.dispose();
  });
});

test('whatever is changed in a configuration, it loads or says why, and leaves nothing behind', async () => {
  const original = JSON.stringify(fixture.modelTopology.model_config);
  const values = fc.oneof(
    fc.constant(null), fc.integer({ min: -3, max: 9 }), fc.string(), fc.constant([]), fc.constant({}), fc.boolean(),
  ); // prettier-ignore
  const specs = fixture.weightsManifest[0].weights;
  await fc.assert(
    fc.asyncProperty(fc.nat(), values, async (place, value) => {
      const model = JSON.parse(original) as Model;
      const places: [Record<string, unknown>, string][] = [];
      const visit = (object: unknown): void => {
        if (typeof object !== 'object' || object === null) return;
        for (const key of Object.keys(object)) {
          places.push([object as Record<string, unknown>, key]);
          visit((object as Record<string, unknown>)[key]);
        }
      };
      visit(model);
      const [object, key] = places[place % places.length];
      object[key] = value;
      const before = tf.memory().numTensors;
      try {
        const loaded = await pretrained.loadKeras(handler(model, specs, weightData.slice().buffer));
        loaded.dispose();
      } catch (error) {
        expect((error as Error).message).toMatch(/^pretrained\.loadKeras: /);
      }
      expect(tf.memory().numTensors).toBe(before);
    }),
    { numRuns: 150 },
  );
});
