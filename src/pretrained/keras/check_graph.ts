/** Finds all that is not supported in a model, before anything is built. */
import { describe } from '../../util/errors.js';
import { bindCall } from './bind_call.js';
import type { Graph, GraphLayer } from './graph.js';
import type { KerasVersion } from './keras_version.js';
import type { LayerEntry } from './layer_entry.js';
import { entryOf, type CustomObjects } from './layer_table.js';
import { camel, convertOptions, type ConvertedOptions } from './options.js';
import { dtypeOf } from './operator_entries.js';

/** Something in a file that is not supported. */
export interface Unsupported {
  /** Name of the layer. */
  readonly layer: string;
  /** Its class in the file. */
  readonly className: string;
  /** Where it is in the file's configuration. */
  readonly path: string;
  /** What is not supported: class, option, call argument or dtype. */
  readonly problem: string;
}

/** What is known of a layer before it is built. */
export interface PlannedLayer {
  /** Its class. */
  readonly entry: LayerEntry;
  /** Its options. */
  readonly converted: ConvertedOptions;
}

/**
 * Plans a layer: its entry and options.
 *
 * @param layer A layer that is neither an input nor a model.
 * @param version Version of Keras.
 * @param custom What the user gave.
 * @returns The plan, or null when the class is not known.
 */
export function planLayer(
  layer: GraphLayer,
  version: KerasVersion,
  custom: CustomObjects,
): PlannedLayer | null {
  const entry = entryOf(layer, version, custom);
  if (!entry) return null;
  if (!entry.isCustom) {
    return { entry, converted: convertOptions(layer, entry, version, custom.activations) };
  }
  const options = Object.fromEntries(
    Object.entries(layer.config)
      .filter(([name]) => name !== 'dtype')
      .map(([name, value]) => [camel(name), value]),
  );
  return { entry, converted: { options, activation: null, problems: [] } };
}

/**
 * All that is not supported in a model and the models in it.
 *
 * @param graph The model.
 * @param version Version of Keras.
 * @param custom What the user gave.
 * @returns Problems, in the order of the file.
 */
export function unsupportedIn(
  graph: Graph,
  version: KerasVersion,
  custom: CustomObjects,
): Unsupported[] {
  const used = new Set(graph.calls.map(({ layer }) => layer));
  return graph.layers
    .filter((layer) => used.has(layer) || layer.className === 'InputLayer')
    .flatMap((layer) => {
      const problems =
        layer.className === 'InputLayer'
          ? inputProblems(layer)
          : layer.graph
            ? []
            : layerProblems(layer, graph, version, custom);
      const own = problems.map((problem) => ({
        layer: layer.name,
        className: layer.registeredName ?? layer.className,
        path: layer.path,
        problem,
      }));
      return [...own, ...(layer.graph ? unsupportedIn(layer.graph, version, custom) : [])];
    });
}

function inputProblems({ config }: GraphLayer): string[] {
  const shape = config.batch_shape ?? config.batch_input_shape;
  const problems: string[] = [];
  const sizes = Array.isArray(shape) ? (shape as unknown[]) : [null];
  if (!Array.isArray(shape) || !sizes.every((size) => size === null || Number.isInteger(size))) {
    problems.push(`shape ${describe(shape)}`);
  }
  if (dtypeOf(config.dtype ?? 'float32') === null) {
    problems.push(`dtype ${describe(config.dtype)}`);
  }
  for (const option of ['sparse', 'ragged', 'optional']) {
    if (config[option] === true) problems.push(`${option} inputs`);
  }
  return problems;
}

function layerProblems(
  layer: GraphLayer,
  graph: Graph,
  version: KerasVersion,
  custom: CustomObjects,
): string[] {
  const plan = planLayer(layer, version, custom);
  if (!plan) {
    const kind = layer.isOperator ? 'operator' : 'class';
    return [`${kind} ${layer.registeredName ?? layer.className}`];
  }
  const called = graph.calls.filter((call) => call.layer === layer).map(({ node }) => node);
  const problems = called.flatMap((node) => bindCall(plan.entry, layer.nodes[node]).problems);
  return [...plan.converted.problems, ...new Set(problems)];
}
