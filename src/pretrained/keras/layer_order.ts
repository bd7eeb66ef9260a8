/** The order in which Keras 3 lists the layers of a functional model, which decides where weights lie in a `.keras` file. */
import { layerOf, tensorsIn, type Argument, type Graph, type GraphLayer } from './graph.js';

/**
 * A graph with its layers in Keras' order: those farthest from the outputs first, among equals that which a walk back
 * from the outputs meets first. Keras finds this order anew when it loads a model, whatever the order in the file, and
 * looks up weights by it (`layers/dense_1` is the second Dense). Nested models are ordered too.
 *
 * @param graph A graph.
 * @returns The graph, its layers in order; one layer's calls keep theirs.
 */
export function inKerasOrder(graph: Graph): Graph {
  const layers = graph.layers.map((layer) =>
    layer.graph ? { ...layer, graph: inKerasOrder(layer.graph) } : layer,
  );
  if (graph.isSequential) return { ...graph, layers };
  const ordered = { ...graph, layers };
  const places = orderOf(ordered);
  return {
    ...ordered,
    layers: [...layers].sort((a, b) => places.get(a.name)! - places.get(b.name)!),
  };
}

/** A call of a layer. */
interface Call {
  layer: GraphLayer;
  key: string;
  parents: string[];
}

/**
 * The calls of a graph in the order in which Keras runs them: those farthest from the outputs first.
 *
 * @param graph A graph.
 * @returns Its calls, without inputs.
 */
export function executionOrder(graph: Graph): Graph['calls'] {
  if (graph.isSequential) return graph.calls;
  const { calls, depths } = depthsOf(graph);
  const byKey = new Map(calls.map((call) => [call.key, call]));
  return [...depths]
    .sort(([, a], [, b]) => b - a) // the sort is stable: equals stay as Keras found them
    .map(([key]) => byKey.get(key)!)
    .filter(({ layer }) => layer.nodes.length > 0)
    .map(({ layer, key }) => ({ layer, node: parseInt(key, 10) }));
}

/** The place of each layer, by name. */
function orderOf(graph: Graph): Map<string, number> {
  const { layerDepths, met } = depthsOf(graph);
  // Inputs that no output needs come last but one, before all others of depth 0.
  const order = graph.layers.map(({ name }) => name);
  order.sort(
    (a, b) =>
      (layerDepths.get(b) ?? 0) - (layerDepths.get(a) ?? 0) ||
      (met.get(a) ?? -1) - (met.get(b) ?? -1),
  );
  return new Map(order.map((name, i) => [name, i]));
}

/** How far calls and layers are from the outputs. */
function depthsOf(graph: Graph): {
  calls: Call[];
  met: Map<string, number>;
  depths: Map<string, number>;
  layerDepths: Map<string, number>;
} {
  const { calls, met } = walk(graph);
  const depths = new Map<string, number>();
  const layerDepths = new Map<string, number>();
  for (const { key, layer, parents } of [...calls].reverse()) {
    const depth = Math.max(depths.get(key) ?? 0, layerDepths.get(layer.name) ?? 0);
    layerDepths.set(layer.name, depth);
    depths.set(key, depth);
    for (const parent of parents) depths.set(parent, Math.max(depth + 1, depths.get(parent) ?? 0));
  }
  return { calls, met, depths, layerDepths };
}

/** All calls that the outputs need, each after those that it needs, and when each layer was first met. */
function walk(graph: Graph): { calls: Call[]; met: Map<string, number> } {
  const met = new Map<string, number>();
  const calls: Call[] = [];
  const done = new Set<string>();
  const outputs = [...graph.outputs];
  // Python's trees list a dictionary by its sorted keys.
  if (outputs.every(({ key }) => key !== null)) {
    outputs.sort((a, b) => (a.key! < b.key! ? -1 : 1));
  }
  const stack = outputs.map(({ tensor }) => ({ tensor, leaving: false })).reverse();
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { tensor, leaving } = top;
    const key = `${tensor.node}:${tensor.layer}`;
    const layer = layerOf(graph, tensor.layer);
    const needed = layer.nodes.length === 0 ? [] : inputsOf(layer, tensor.node);
    if (leaving) {
      calls.push({ layer, key, parents: needed.map((one) => `${one.node}:${one.layer}`) });
      continue;
    }
    if (done.has(key)) continue;
    done.add(key);
    if (!met.has(layer.name)) met.set(layer.name, met.size);
    stack.push({ tensor, leaving: true });
    for (const one of [...needed].reverse()) stack.push({ tensor: one, leaving: false });
  }
  return { calls, met };
}

/** The tensors of a call in the order of Python's trees: arguments by position, then by name, dictionaries sorted. */
function inputsOf(layer: GraphLayer, node: number): ReturnType<typeof tensorsIn> {
  const { args, kwargs } = layer.nodes[node];
  return [...args.flatMap((arg) => tensorsIn(sorted(arg))), ...tensorsIn(sorted({ ...kwargs }))];
}

function sorted(argument: Argument): Argument {
  if (Array.isArray(argument)) return argument.map(sorted);
  if (typeof argument !== 'object' || argument === null || tensorsIn(argument)[0] === argument) {
    return argument;
  }
  const entries = Object.entries(argument as Record<string, Argument>);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, value]) => [name, sorted(value)]));
}
