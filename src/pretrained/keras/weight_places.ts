/** Where the weights of each layer are in a file. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { assert } from '../../util/errors.js';
import type { Graph, GraphLayer } from './graph.js';
import { KerasVersion } from './keras_version.js';
import { layerNames } from './layer_names.js';
import { entryOf, type CustomObjects } from './layer_table.js';
import { snakeCase } from './python_modules.js';

/** A weight of a model, and where files have it. */
export interface WeightPlace {
  /** The weight. */
  readonly variable: tfl.LayerVariable;
  /** The layer that it belongs to. */
  readonly layer: GraphLayer;
  /** Names of the models around the layer, from the outermost on, without the whole model. */
  readonly models: readonly string[];
  /** Its name below that of the layer: `query/kernel`. */
  readonly name: string;
  /** Its path in a `.keras` file: `layers/multi_head_attention/query_dense/vars/0`. */
  readonly treePath: string;
  /** The part of `treePath` that is the layer's: `layers/multi_head_attention`. */
  readonly treeLayer: string;
}

const NOTHING: CustomObjects = { layers: new Map(), activations: new Map() };

/**
 * The weights of a model with their places, in Keras' order.
 *
 * @param graph The model as Keras describes it.
 * @param model The model, whose layers have the names of the graph's.
 * @param custom What the user gave.
 * @returns Every weight once.
 */
export function weightPlaces(
  graph: Graph,
  model: tfl.LayersModel,
  custom: CustomObjects = NOTHING,
): WeightPlace[] {
  const seen = new Set<tfl.LayerVariable>();
  return placesIn(graph, model, 'layers', [], custom).filter(({ variable }) => {
    const isNew = !seen.has(variable);
    seen.add(variable);
    return isNew;
  });
}

/**
 * Names that Keras gives to the groups of layers in a `.keras` file: those of their classes, numbered.
 *
 * @param graph A model.
 * @param custom What the user gave.
 * @returns The group of each layer; none for an operator, which has no weights.
 */
export function treeNames(graph: Graph, custom: CustomObjects = NOTHING): Map<GraphLayer, string> {
  const count = new Map<string, number>();
  const names = new Map<GraphLayer, string>();
  for (const layer of graph.layers) {
    // A sequential model does not list its input.
    if (layer.isOperator || (graph.isSequential && layer.className === 'InputLayer')) continue;
    const entry = layer.graph ? null : entryOf(layer, NEWEST, custom);
    const name = snakeCase(entry?.pythonClass ?? layer.className);
    const before = count.get(name) ?? 0;
    names.set(layer, before === 0 ? name : `${name}_${before}`);
    count.set(name, before + 1);
  }
  return names;
}

const NEWEST = new KerasVersion(3, 15);

function placesIn(
  graph: Graph,
  model: tfl.LayersModel,
  path: string,
  models: readonly string[],
  custom: CustomObjects,
): WeightPlace[] {
  const names = treeNames(graph, custom);
  const inJavaScript = layerNames(graph);
  const built = new Map(model.layers.map((layer) => [layer.name, layer]));
  return graph.layers.flatMap((source) => {
    const layer = built.get(inJavaScript.get(source)!);
    const group = names.get(source);
    if (layer === undefined || group === undefined) return [];
    const treeLayer = `${path}/${group}`;
    if (source.graph) {
      const inner = layer as tfl.LayersModel;
      return placesIn(source.graph, inner, `${treeLayer}/layers`, [...models, source.name], custom);
    }
    const own = layer.weights.map(({ originalName }) => relativeName(originalName, layer.name));
    const paths = pathsOf(source, own, custom);
    assert(
      paths.length === own.length,
      () => `${source.name}: has ${own.length} weights and ${paths.length} places for them.`,
    );
    return layer.weights.map((variable, i) => ({
      variable,
      layer: source,
      models,
      name: own[i],
      treePath: `${treeLayer}/${paths[i]}`,
      treeLayer,
    }));
  });
}

/** A weight's name without that of its layer. */
function relativeName(name: string, layer: string): string {
  const at = name.indexOf(`${layer}/`);
  return at < 0 ? name : name.slice(at + layer.length + 1);
}

/** Paths of a layer's weights below the layer's group. */
function pathsOf(source: GraphLayer, names: readonly string[], custom: CustomObjects): string[] {
  const entry = entryOf(source, NEWEST, custom);
  if (entry?.weightPaths) return entry.weightPaths(names);
  const parts: Readonly<Record<string, string | undefined>> = entry?.parts ?? {};
  const count = new Map<string, number>();
  return names.map((name) => {
    const group = name
      .split('/')
      .slice(0, -1)
      .map((part) => `${parts[part] ?? part}/`)
      .join('');
    const index = count.get(group) ?? 0;
    count.set(group, index + 1);
    return `${group}vars/${index}`;
  });
}
