/** Reads the configuration of a model into a graph, and refuses one that cannot be a model. */
import { assert, describe } from '../../util/errors.js';
import {
  TensorRef,
  tensorsIn,
  type Graph,
  type GraphLayer,
  type GraphNode,
  type GraphPort,
} from './graph.js';
import { isObject, objectAt, textAt, type Json } from './json.js';
import { readNodes, readPorts } from './read_arguments.js';

/** Models in models in models: more is no model that anybody made. */
const DEEPEST = 24;

/**
 * Reads a model's configuration.
 *
 * @param where Name of the file, for errors.
 * @param model `{class_name, config}` of a functional or sequential model of Keras 2 or 3.
 * @param keras Major version of Keras.
 * @returns The graph; every tensor in it exists, and no layer needs its own output.
 * @throws Error naming the layer and its place when the configuration is broken.
 */
export function readGraph(where: string, model: Json, keras = 3): Graph {
  return readModel(where, model, '', keras, 0);
}

function readModel(
  where: string,
  model: Json,
  prefix: string,
  keras: number,
  depth: number,
): Graph {
  assert(depth < DEEPEST, () => `${where}: models nest deeper than ${DEEPEST}.`);
  const config = objectAt(model, 'config');
  // Keras 1 and 2.0 wrote the layers of a sequential model without a configuration around them.
  const layers: unknown = Array.isArray(model.config) ? model.config : config.layers;
  const name = textAt(config, 'name') ?? 'model';
  const place =
    prefix === '' ? `${where}: model '${name}'` : `${where}: ${prefix}, model '${name}'`;
  assert(
    Array.isArray(layers),
    () =>
      `${place}: only functional and sequential models can be loaded, got class ` +
      `${describe(model.class_name)} without a list of layers. ` +
      'Build it in Python from a functional model, or save that.',
  );
  const list = layers as unknown[];
  const path = (i: number): string => `${prefix === '' ? '' : `${prefix}.`}config.layers[${i}]`;
  const read = list.map((layer, i) => {
    assert(isObject(layer), () => `${place}: ${path(i)} must be a layer, got ${describe(layer)}.`);
    return readLayer(where, layer, path(i), keras, depth);
  });
  const named = new Set<string>();
  for (const layer of read) {
    assert(
      !named.has(layer.name),
      () => `${place}: two layers have the name '${layer.name}', the second at ${layer.path}.`,
    );
    named.add(layer.name);
  }
  // How a graph is called cannot be left out of a functional model, and is not in a sequential one.
  const isSequential = config.output_layers === undefined;
  return isSequential
    ? sequential(place, name, read, config)
    : functional(where, place, name, read, list as Json[], config, keras);
}

function readLayer(
  where: string,
  layer: Json,
  path: string,
  keras: number,
  depth: number,
): GraphLayer {
  const config = objectAt(layer, 'config');
  const full = textAt(layer, 'class_name') ?? '';
  const name = textAt(config, 'name') ?? textAt(layer, 'name');
  assert(
    name !== null && full !== '',
    () => `${where}: ${path} must have a name and a class_name. The file is broken.`,
  );
  const registered = textAt(layer, 'registered_name') ?? (full.includes('>') ? full : null);
  const module = textAt(layer, 'module') ?? '';
  const isModel =
    (Array.isArray(config.layers) &&
      (config.output_layers !== undefined || /Sequential$/.test(full))) ||
    Array.isArray(layer.config);
  const inOps = /^keras\.(src\.)?ops\b/.test(module);
  return {
    name,
    className: full.slice(full.lastIndexOf('>') + 1),
    registeredName: registered?.includes('>') ? registered : null,
    module,
    // Layers say whether they are trained; operators of Keras 3 don't, and H5 files leave out the module.
    isOperator:
      inOps ||
      (module === '' &&
        keras >= 3 &&
        full !== 'InputLayer' &&
        !('trainable' in config) &&
        !isModel),
    config,
    path,
    nodes: [],
    graph: isModel ? readModel(where, layer, path, keras, depth + 1) : null,
  };
}

/** Each layer is called with the output of the one before. */
function sequential(place: string, name: string, read: GraphLayer[], config: Json): Graph {
  const layers = [...read];
  assert(layers.length > 0, () => `${place}: has no layers.`);
  if (layers[0].className !== 'InputLayer') layers.unshift(impliedInput(place, layers[0], config));
  assert(
    layers.slice(1).every(({ className }) => className !== 'InputLayer'),
    () => `${place}: a sequential model can have one InputLayer, as its first layer.`,
  );
  const linked = layers.map((layer, i) => ({
    ...layer,
    nodes: i === 0 ? [] : [{ args: [new TensorRef(layers[i - 1].name, 0, 0)], kwargs: {} }],
  }));
  const last = linked[linked.length - 1];
  return {
    name,
    layers: linked,
    inputs: [{ key: null, tensor: new TensorRef(linked[0].name, 0, 0) }],
    outputs: [{ key: null, tensor: new TensorRef(last.name, 0, 0) }],
    isSequential: true,
    calls: linked.slice(1).map((layer) => ({ layer, node: 0 })),
  };
}

const TAKES_IDS = ['Embedding', 'ReversibleEmbedding', 'TokenAndPositionEmbedding'];

/** The input of a sequential model that was not given one: its shape was found when it was built. */
function impliedInput(place: string, first: GraphLayer, config: Json): GraphLayer {
  const inner = first.graph?.layers[0].config;
  const shape =
    first.config.batch_input_shape ??
    first.config.batch_shape ??
    config.build_input_shape ??
    inner?.batch_shape ??
    inner?.batch_input_shape;
  assert(
    Array.isArray(shape),
    () =>
      `${place}: the shape of its input is not known: it was saved before it was built. ` +
      'Call it once in Python, or give it a keras.Input, and save it again.',
  );
  const dtype = TAKES_IDS.includes(first.className) ? 'int32' : 'float32';
  return {
    name: `${first.name}_input`,
    className: 'InputLayer',
    registeredName: null,
    module: '',
    isOperator: false,
    config: { name: `${first.name}_input`, batch_shape: shape, dtype: inner?.dtype ?? dtype },
    path: first.path,
    nodes: [],
    graph: null,
  };
}

function functional(
  where: string,
  place: string,
  name: string,
  read: GraphLayer[],
  raw: Json[],
  config: Json,
  keras: number,
): Graph {
  const names = new Set(read.map((layer) => layer.name));
  const called = read.map((layer, i) =>
    readNodes(`${where}: layer '${layer.name}' (${layer.path})`, raw[i].inbound_nodes, names),
  );
  const shifts = read.map((layer, i) => shiftOf(layer, called[i].length, called, keras));
  const shift = new Map(read.map(({ name: own }, i) => [own, shifts[i]]));
  const resolve = ({ layer, node, output }: TensorRef): TensorRef =>
    new TensorRef(layer, node - (shift.get(layer)?.inCalls ?? 0), output);
  const layers = read.map((layer, i) => ({
    ...layer,
    nodes: called[i].map((node) => mapTensors(node, resolve)),
  }));
  const ports = (key: string): GraphPort[] =>
    readPorts(place, config[key]).map((port) => {
      const { layer, node, output } = port.tensor;
      const own = shift.get(layer)?.inPorts ?? 0;
      return { ...port, tensor: new TensorRef(layer, node - (node > 0 ? own : 0), output) };
    });
  // As in Python's `model.inputs`, those of a dictionary are in the order of their keys.
  const inputs = ports('input_layers').sort((a, b) =>
    (a.key ?? '') < (b.key ?? '') ? -1 : a.key === b.key ? 0 : 1,
  );
  const outputs = ports('output_layers');
  assert(
    inputs.length > 0 && outputs.length > 0,
    () => `${place}: must have inputs and outputs, got ${inputs.length} and ${outputs.length}.`,
  );
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const check = (tensor: TensorRef, user: string): void => {
    const layer = byName.get(tensor.layer);
    assert(
      layer !== undefined,
      () => `${place}: ${user} needs layer '${tensor.layer}', which is not in the file.`,
    );
    const calls = layer.className === 'InputLayer' ? 1 : layer.nodes.length;
    assert(
      tensor.node >= 0 && tensor.node < calls,
      () =>
        `${place}: ${user} needs call ${tensor.node} of layer '${tensor.layer}', which has ${calls} calls. ` +
        'The file is broken.',
    );
  };
  for (const layer of layers) {
    for (const { args, kwargs } of layer.nodes) {
      for (const tensor of [...tensorsIn(args), ...tensorsIn(kwargs)]) {
        check(tensor, `layer '${layer.name}' (${layer.path})`);
      }
    }
  }
  for (const { tensor } of inputs) {
    check(tensor, 'input_layers');
    assert(
      byName.get(tensor.layer)!.className === 'InputLayer',
      () => `${place}: input_layers must name input layers, got '${tensor.layer}'.`,
    );
  }
  for (const { tensor } of outputs) check(tensor, 'output_layers');
  const calls = inOrder(place, layers, outputs, new Set(inputs.map(({ tensor }) => tensor.layer)));
  return { name, layers, inputs, outputs, isSequential: false, calls };
}

/**
 * From which number on the calls of a nested model are counted. A functional model has had a call of its own before it is
 * called in another, and some versions of Keras count that one, in some places.
 */
function shiftOf(
  layer: GraphLayer,
  calls: number,
  called: readonly (readonly GraphNode[])[],
  keras: number,
): { inCalls: number; inPorts: number } {
  if (!layer.graph) return { inCalls: 0, inPorts: 0 };
  const counts = keras < 3 || !layer.graph.isSequential ? 1 : 0;
  const references = called
    .flat()
    .flatMap(({ args, kwargs }) => [...tensorsIn(args), ...tensorsIn(kwargs)])
    .filter((tensor) => tensor.layer === layer.name)
    .map(({ node }) => node);
  const beyond = Math.max(0, ...references) >= calls;
  const inCalls = beyond ? 1 : references.includes(0) || keras >= 3 ? 0 : counts;
  return { inCalls, inPorts: counts };
}

function mapTensors(
  { args, kwargs }: GraphNode,
  body: (tensor: TensorRef) => TensorRef,
): GraphNode {
  const map = (value: GraphNode['args'][number]): GraphNode['args'][number] => {
    if (value instanceof TensorRef) return body(value);
    if (Array.isArray(value)) return value.map(map);
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, map(one)]));
    }
    return value;
  };
  return { args: args.map(map), kwargs: map({ ...kwargs }) as GraphNode['kwargs'] };
}

/** The calls that the outputs need, each after those that it needs itself. */
function inOrder(
  place: string,
  layers: GraphLayer[],
  outputs: GraphPort[],
  inputs: ReadonlySet<string>,
): { layer: GraphLayer; node: number }[] {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const state = new Map<string, 'open' | 'done'>();
  const order: { layer: GraphLayer; node: number }[] = [];
  const stack = [...outputs].reverse().map(({ tensor }) => ({ tensor, leaving: false }));
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { tensor, leaving } = top;
    const key = `${tensor.node}:${tensor.layer}`;
    const layer = byName.get(tensor.layer)!;
    if (leaving) {
      state.set(key, 'done');
      if (layer.className !== 'InputLayer') order.push({ layer, node: tensor.node });
      continue;
    }
    assert(
      state.get(key) !== 'open',
      () => `${place}: layer '${layer.name}' (${layer.path}) needs its own output: a cycle.`,
    );
    if (state.get(key) === 'done') continue;
    assert(
      layer.className !== 'InputLayer' || inputs.has(layer.name),
      () => `${place}: the outputs need input '${layer.name}', which is not among input_layers.`,
    );
    state.set(key, 'open');
    stack.push({ tensor, leaving: true });
    const { args, kwargs } = layer.nodes[tensor.node] ?? { args: [], kwargs: {} };
    for (const needed of [...tensorsIn(args), ...tensorsIn(kwargs)].reverse()) {
      stack.push({ tensor: needed, leaving: false });
    }
  }
  return byDepth(order);
}

/**
 * The order in which Keras runs the calls: those farthest from the outputs first. It matters, because an attention layer takes
 * away the masks of what it is called with.
 */
function byDepth(order: readonly Graph['calls'][number][]): Graph['calls'][number][] {
  const keyOf = (layer: string, node: number): string => `${node}:${layer}`;
  const known = new Set(order.map(({ layer, node }) => keyOf(layer.name, node)));
  const depths = new Map<string, number>();
  const ofLayers = new Map<string, number>();
  for (const { layer, node } of [...order].reverse()) {
    const key = keyOf(layer.name, node);
    const depth = Math.max(depths.get(key) ?? 0, ofLayers.get(layer.name) ?? 0);
    depths.set(key, depth);
    ofLayers.set(layer.name, depth);
    const { args, kwargs } = layer.nodes[node];
    for (const tensor of [...tensorsIn(args), ...tensorsIn(kwargs)]) {
      const needed = keyOf(tensor.layer, tensor.node);
      if (known.has(needed)) depths.set(needed, Math.max(depth + 1, depths.get(needed) ?? 0));
    }
  }
  const calls = new Map(order.map((call) => [keyOf(call.layer.name, call.node), call]));
  const sorted = [...depths].sort(([, a], [, b]) => b - a); // a stable sort: as they were found within a depth
  return sorted.map(([key]) => calls.get(key)!);
}
