/** Loads models of Keras. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { assert, assertKnownOptions, describe } from '../../util/errors.js';
import { buildModel } from './build_model.js';
import { unsupportedIn, type Unsupported } from './check_graph.js';
import type { CustomObject } from './custom_entries.js';
import { kerasVersionOf } from './keras_version.js';
import type { CustomObjects } from './layer_table.js';
import { matchWeights, type MatchedWeights } from './match_weights.js';
import { readGraph } from './read_graph.js';
import { readSavedModel } from './read_saved_model.js';
import type { SavedModel } from './saved_model.js';
import type { KerasLimits, KerasSource } from './source.js';
import { weightPlaces } from './weight_places.js';

/** Options of `loadKeras`. */
export interface LoadKerasOptions extends KerasLimits {
  /**
   * What stands in the file as `package>Name` or `Name`: for a layer a class, or a function that makes the layer from its
   * configuration (names in camel case); for an activation the name of one that Keras has.
   */
  customObjects?: Readonly<Record<string, CustomObject | string>>;
}

/** How many problems an error lists. */
const MOST = 40;

/**
 * Loads a model that Keras saved: a `.keras` file, an HDF5 file of Keras 2 or 3, or a `model.json` that
 * tensorflowjs_converter made of either.
 *
 *     const model = await pretrained.loadKeras('model.keras');
 *     const [file] = input.files;                                     // <input type="file">
 *     const same = await pretrained.loadKeras(file);
 *
 * The model predicts what Python predicted, trains with `compile` and `fit`, and saves with `model.save`. Its layers have
 * Python's names. The masks that Keras keeps beside tensors become tensors of the graph, by the rules of the version of Keras
 * that wrote the file: where Keras loses a mask, it is lost here too. A query that may look at nothing gives the mean
 * of all values, or 0, as that version of Keras does.
 *
 * @param source A path in Node, a URL, a `File` or several, bytes, or a handler of TensorFlow.js.
 * @param options See `LoadKerasOptions`.
 * @returns The model, with the weights of the file.
 * @throws Error listing everything that is not supported, with its layer and its place in the file, before anything is built;
 * and everything that is wrong with the weights. Nothing stays in memory then.
 */
export async function loadKeras(
  source: KerasSource,
  options: LoadKerasOptions = {},
): Promise<tfl.LayersModel> {
  assertKnownOptions('pretrained.loadKeras', options, ['customObjects', 'maxBytes']);
  const custom = readCustomObjects('pretrained.loadKeras', options.customObjects);
  const { maxBytes } = options;
  return modelOf(await readSavedModel(source, { maxBytes }), custom);
}

/** The model that a file holds. */
function modelOf(saved: SavedModel, custom: CustomObjects): tfl.LayersModel {
  const version = kerasVersionOf(saved.kerasVersion, saved.config);
  const where = `pretrained.loadKeras: '${saved.name}'`;
  const graph = readGraph(where, saved.config, version.major);
  const unsupported = unsupportedIn(graph, version, custom);
  assert(unsupported.length === 0, () => unsupportedText(where, unsupported));
  const created: tfl.layers.Layer[] = [];
  try {
    const model = buildModel(graph, { version, custom, created });
    const matched = matchWeights(saved, weightPlaces(graph, model, custom));
    assert(matched.problems.length === 0, () => weightsText(where, matched));
    assign(matched);
    model.setUserDefinedMetadata({ keras: origin(saved) });
    return model;
  } catch (error) {
    release(created);
    const text = error instanceof Error ? error.message : String(error);
    if (text.startsWith(where)) throw error;
    throw new Error(`${where}: ${text}`, { cause: error });
  }
}

/** What `saveKeras` needs to write the model as it was: kept in the model's metadata, which `model.save` keeps too. */
function origin(saved: SavedModel): { version: string; config: object } {
  return {
    version: saved.kerasVersion,
    config: JSON.parse(JSON.stringify(saved.config)) as object,
  };
}

function assign({ matches }: MatchedWeights): void {
  for (const { place, name, array } of matches) {
    // Own memory: `values` may be a part of the file, which could not be freed then.
    const values = array.values();
    const whole = values instanceof Float32Array ? values.slice() : Float32Array.from(values);
    const tensor = tf.tensor(whole, [...array.shape], 'float32');
    try {
      place.variable.write(tensor);
    } catch (error) {
      throw new Error(`weight ${name} cannot be set: ${String(error)}`, { cause: error });
    } finally {
      tensor.dispose();
    }
  }
}

/** Frees the weights of layers that no model will have. */
function release(layers: readonly tfl.layers.Layer[]): void {
  const variables = new Set(layers.flatMap((layer) => layer.weights));
  for (const variable of variables) variable.dispose();
}

/**
 * What the user gave, checked.
 *
 * @param where Name of the function that was called.
 * @param given Classes, factories and names.
 * @returns Layers and activations.
 */
export function readCustomObjects(
  where: string,
  given: LoadKerasOptions['customObjects'] = {},
): CustomObjects {
  const layers = new Map<string, CustomObject>();
  const activations = new Map<string, string>();
  for (const [name, object] of Object.entries(given)) {
    if (typeof object === 'string') activations.set(name, object);
    else {
      assert(
        typeof object === 'function',
        () =>
          `${where}: customObjects['${name}'] must be a class of layers, a function that makes a layer, or the name of an ` +
          `activation, got ${describe(object)}.`,
      );
      layers.set(name, object);
    }
  }
  return { layers, activations };
}

function unsupportedText(where: string, unsupported: readonly Unsupported[]): string {
  const lines = unsupported.map(
    ({ layer, className, path, problem }) => `  ${layer} (${className}, ${path}): ${problem}`,
  );
  return (
    `${where} has ${lines.length} ${lines.length === 1 ? 'thing' : 'things'} that ${lines.length === 1 ? 'is' : 'are'} not supported:\n` +
    `${listed(lines)}\n` +
    'Give your own classes as customObjects; change other layers in Python. pretrained.inspectKeras lists what is in the file.'
  );
}

function weightsText(where: string, { problems }: MatchedWeights): string {
  return `${where}: weights do not fit the model:\n${listed(problems.map((one) => `  ${one}`))}\nThe file is broken, or not of this model.`;
}

function listed(lines: readonly string[]): string {
  const rest = lines.length - MOST;
  return [...lines.slice(0, MOST), ...(rest > 0 ? [`  … and ${rest} more`] : [])].join('\n');
}
