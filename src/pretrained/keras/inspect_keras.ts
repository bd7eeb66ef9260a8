/** Looks into models of Keras without building them. */
import { assertKnownOptions } from '../../util/errors.js';
import { unsupportedIn, type Unsupported } from './check_graph.js';
import type { Graph, GraphLayer } from './graph.js';
import { kerasVersionOf } from './keras_version.js';
import { readCustomObjects, type LoadKerasOptions } from './load_keras.js';
import { isStateOfTraining } from './match_weights.js';
import { readGraph } from './read_graph.js';
import { readSavedModel } from './read_saved_model.js';
import type { SavedModel, StoredArray } from './saved_model.js';
import type { KerasSource } from './source.js';
import { treeNames } from './weight_places.js';

/** A weight in a file. */
export interface InspectedWeight {
  /** Its name in the file. */
  path: string;
  /** Its shape. */
  shape: number[];
  /** How it is stored. */
  dtype: string;
}

/** A layer in a file. */
export interface InspectedLayer {
  /** Its name; with the names of the models that it is in, joined by a slash. */
  name: string;
  /** Its class, with the package where the file names one. */
  className: string;
  /** Where it is in the file's configuration. */
  path: string;
  /** Its weights. */
  weights: InspectedWeight[];
  /** How many numbers its weights hold. */
  parameters: number;
}

/** What a file holds. */
export interface InspectedModel {
  /** Its name. */
  name: string;
  /** The file: a `.keras` archive, HDF5, or `model.json`. */
  format: SavedModel['format'];
  /** Version of Keras that wrote it; '' when the file does not say. */
  kerasVersion: string;
  /** What it takes. */
  inputs: { name: string; shape: (number | null)[]; dtype: string }[];
  /** What it gives: the key of a dictionary, or the name of the layer. */
  outputs: { name: string; layer: string }[];
  /** Its layers, those of nested models behind the model that they are in. */
  layers: InspectedLayer[];
  /** How many numbers all weights hold. */
  parameters: number;
  /** Weights that belong to no layer. */
  otherWeights: InspectedWeight[];
  /** What `loadKeras` would refuse. */
  unsupported: Unsupported[];
}

/**
 * Lists what is in a file that Keras saved, without building anything: layers, weights, and what `loadKeras` would refuse.
 *
 * @param source See `loadKeras`.
 * @param options See `LoadKerasOptions`; classes that are given count as supported.
 * @returns See `InspectedModel`.
 * @throws Error when the file is broken, or no model.
 */
export async function inspectKeras(
  source: KerasSource,
  options: LoadKerasOptions = {},
): Promise<InspectedModel> {
  const where = 'pretrained.inspectKeras';
  assertKnownOptions(where, options, ['customObjects', 'maxBytes']);
  const custom = readCustomObjects(where, options.customObjects);
  const { maxBytes } = options;
  const saved = await readSavedModel(source, { maxBytes }, where);
  const version = kerasVersionOf(saved.kerasVersion, saved.config);
  const graph = readGraph(`${where}: '${saved.name}'`, saved.config, version.major);
  const left = new Map([...saved.weights].filter(([name]) => !isStateOfTraining(name)));
  const layers = layersIn(graph, '', 'layers', left, saved);
  const all = layers.reduce((sum, { parameters }) => sum + parameters, 0);
  return {
    name: graph.name,
    format: saved.format,
    kerasVersion: saved.kerasVersion,
    inputs: graph.inputs.map(({ key, tensor }) => {
      const { config } = graph.layers.find(({ name }) => name === tensor.layer)!;
      const shape = (config.batch_shape ?? config.batch_input_shape ?? []) as (number | null)[];
      return {
        name: key ?? tensor.layer,
        shape: [...shape],
        dtype: typeof config.dtype === 'string' ? config.dtype : 'float32',
      };
    }),
    outputs: graph.outputs.map(({ key, tensor }) => ({
      name: key ?? tensor.layer,
      layer: tensor.layer,
    })),
    layers,
    parameters: all,
    otherWeights: [...left].map(([path, array]) => describeWeight(path, array)),
    unsupported: unsupportedIn(graph, version, custom),
  };
}

/** Layers with the weights that the file has under their names; what a layer takes is no more in `left`. */
function layersIn(
  graph: Graph,
  models: string,
  path: string,
  left: Map<string, StoredArray>,
  saved: SavedModel,
): InspectedLayer[] {
  const groups = treeNames(graph);
  return graph.layers.flatMap((layer) => {
    const group = groups.get(layer);
    const tree = group === undefined ? null : `${path}/${group}`;
    const name = `${models}${layer.name}`;
    const inner = layer.graph
      ? layersIn(layer.graph, `${name}/`, `${tree}/layers`, left, saved)
      : [];
    const weights = layer.graph ? [] : take(layer, tree, models, left, saved);
    const own = {
      name,
      className: layer.registeredName ?? layer.className,
      path: layer.path,
      weights,
      parameters: weights.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
    };
    return [own, ...inner];
  });
}

function take(
  { name, className }: GraphLayer,
  tree: string | null,
  models: string,
  left: Map<string, StoredArray>,
  { layerWeightNames }: SavedModel,
): InspectedWeight[] {
  if (className === 'InputLayer') return [];
  const old = tree?.replace(/(^|\/)layers\//g, '$1_layer_checkpoint_dependencies/');
  const listed =
    models === '' ? layerWeightNames?.get(name)?.map((one) => `${name}/${one}`) : undefined;
  const belongs = (path: string): boolean => {
    if (/(^|\/)vars\/\d+$/.test(path)) {
      return [tree, old].some((prefix) => Boolean(prefix) && path.startsWith(`${prefix}/`));
    }
    return listed?.includes(path) ?? path.split('/').slice(0, -1).includes(name);
  };
  const own = [...left].filter(([path]) => belongs(path));
  for (const [path] of own) left.delete(path);
  return own.map(([path, array]) => describeWeight(path, array));
}

function describeWeight(path: string, { shape, dtype }: StoredArray): InspectedWeight {
  return { path, shape: [...shape], dtype };
}
