/** Writes models as `.keras` files. */
import type * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { assert, describe } from '../../util/errors.js';
import { describeModel } from './describe_model.js';
import type { Graph } from './graph.js';
import { isObject, textAt, type Json } from './json.js';
import { keras3Config } from './keras3_config.js';
import { kerasVersionOf } from './keras_version.js';
import { inKerasOrder } from './layer_order.js';
import { readGraph } from './read_graph.js';
import { weightPlaces } from './weight_places.js';
import { saveArchive, writeArchive, type Archive, type ArchiveWeight } from './write_archive.js';

/** The version of Keras whose files these are. */
const KERAS_VERSION = '3.15.1';

/**
 * Writes a model as a `.keras` file, which Python opens with `keras.saving.load_model` and which predicts the same there.
 *
 *     const bytes = await pretrained.saveKeras(model);           // anywhere
 *     await pretrained.saveKeras(model, 'model.keras');          // Node
 *     await pretrained.saveKeras(model, 'downloads://model');    // a page: the user gets model.keras
 *
 * A model that came from `loadKeras` is written as it was described in its file, with the weights that it has now. A model
 * that was built in JavaScript is written when each of its layers has a counterpart in Keras or keras-hub; Python then
 * needs `import keras_hub` for layers of the latter. Weights are float32. The optimizer and its state are not written:
 * compile the model again in Python. Positions that a mask hides may come out differently: Keras computes something for
 * them, too, and nothing may depend on it.
 *
 * @param model A functional or sequential model.
 * @param destination A path in Node, or `downloads://NAME` in a page; left out, the bytes are only returned.
 * @returns The bytes of the file.
 * @throws Error naming every layer that Keras does not have and every option that it cannot express. Nothing is written then.
 */
export async function saveKeras(model: tfl.LayersModel, destination?: string): Promise<Uint8Array> {
  assert(
    model instanceof tfl.LayersModel,
    () =>
      `saveKeras: model must be a tf.LayersModel, got model=${describe(model)}. Give what tf.model, tf.sequential or loadKeras made.`,
  );
  assert(
    destination === undefined || (typeof destination === 'string' && destination !== ''),
    () =>
      `saveKeras: destination must be a path or downloads://NAME, got destination=${describe(destination)}. ` +
      'Leave it out to get the bytes.',
  );
  const archive = await archiveOf(model);
  if (destination === undefined) return writeArchive(archive);
  const download = /^downloads:\/\/(.+)$/.exec(destination);
  if (!download) return saveArchive(archive, destination);
  const bytes = await writeArchive(archive);
  const name = download[1];
  offer(bytes, name.endsWith('.keras') ? name : `${name}.keras`);
  return bytes;
}

/** The parts of the file. */
async function archiveOf(model: tfl.LayersModel): Promise<Archive> {
  const { graph, config } = fromFile(model) ?? fromGraph(model);
  const weights = new Map<string, ArchiveWeight>();
  const groupNames = new Map<string, string>([['', graph.name]]);
  for (const { variable, treePath, treeLayer, layer } of weightPlaces(graph, model)) {
    groupNames.set(treeLayer, layer.name);
    const tensor = variable.read();
    const values = await tensor.data<'float32' | 'int32' | 'bool'>();
    weights.set(treePath, { shape: tensor.shape, dtype: storedAs(tensor.dtype), values });
  }
  const date_saved = new Date().toISOString().slice(0, 19).replace('T', '@');
  return { config, metadata: { keras_version: KERAS_VERSION, date_saved }, weights, groupNames };
}

function storedAs(dtype: tf.DataType): 'float32' | 'int32' | 'bool' {
  return dtype === 'int32' || dtype === 'bool' ? dtype : 'float32';
}

interface Described {
  /** The model, its layers in Keras' order. */
  graph: Graph;
  /** What goes into `config.json`. */
  config: Json;
}

/**
 * The description that `loadKeras` left in the model's metadata; null when the model was built in JavaScript, or came from a
 * Keras before 3.7: there, other masks reach a layer than today, and only the graph in JavaScript says which.
 */
function fromFile(model: tfl.LayersModel): Described | null {
  const metadata: unknown = model.getUserDefinedMetadata();
  const keras = isObject(metadata) ? metadata.keras : undefined;
  if (!isObject(keras) || !isObject(keras.config)) return null;
  const stored = keras.config;
  const version = kerasVersionOf(textAt(keras, 'version') ?? '', stored);
  if (!version.atLeast(3, 7)) return null;
  const graph = readGraph(`saveKeras: model '${model.name}'`, stored, version.major);
  // A .keras file names the module of every class; HDF5 and model.json don't.
  if (textAt(stored, 'module') === null) return { graph, config: keras3Config(graph) };
  const config = Object.entries(stored).filter(([key]) => key !== 'compile_config');
  return { graph, config: Object.fromEntries(config) };
}

/** The description of the graph that the model is in JavaScript. */
function fromGraph(model: tfl.LayersModel): Described {
  const problems: string[] = [];
  const described = describeModel(model, problems);
  assert(
    problems.length === 0,
    () =>
      `saveKeras: model '${model.name}' cannot be written for Keras:\n` +
      [...new Set(problems)].map((problem) => `  ${problem}\n`).join('') +
      'Use layers that Keras has too, or save it for JavaScript with model.save or training.modelFiles.',
  );
  const graph = inKerasOrder(described);
  return { graph, config: keras3Config(graph) };
}

/** Has the browser ask the user where to put a file. */
function offer(bytes: Uint8Array, name: string): void {
  const page = (globalThis as { document?: Document }).document;
  assert(
    page !== undefined,
    () =>
      `saveKeras: downloads:// needs a page, got '${name}' where there is none. Give a path, or take the bytes that saveKeras returns.`,
  );
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  const link = page.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The download has begun; the browser keeps what it needs.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
