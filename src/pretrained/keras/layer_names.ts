/** Names that TensorFlow.js can give to weights. */
import { TensorRef, type Argument, type Graph, type GraphLayer, type GraphPort } from './graph.js';

/** What TensorFlow.js takes for the name of a weight. */
const NAME = /^[A-Za-z0-9][-\w./]*$/;

/** Whether TensorFlow.js can keep a name. Its reader of saved models looks names up in an object, where `constructor` is. */
const isPlain = (name: string): boolean => NAME.test(name) && !(name in Object.prototype);

/**
 * The names of a model's layers in TensorFlow.js: those of Python, with `_` for what cannot stand in the
 * name of a weight and a number after names that objects of JavaScript inherit (`constructor_1`).
 *
 * @param graph The model.
 * @returns A name for each layer, each once.
 */
export function layerNames(graph: Graph): Map<GraphLayer, string> {
  const taken = new Set(graph.layers.map(({ name }) => name));
  return new Map(
    graph.layers.map((layer) => {
      if (isPlain(layer.name) || layer.className === 'InputLayer') return [layer, layer.name];
      const plain = layer.name.replace(/[^-\w./]/g, '_').replace(/^[^A-Za-z0-9]/, 'layer_$&');
      let name = plain;
      for (let i = 1; taken.has(name); i++) name = `${plain}_${i}`;
      taken.add(name);
      return [layer, name];
    }),
  );
}

/**
 * The model under the names of {@link layerNames}, and the models in it too.
 *
 * @param graph The model.
 * @returns The same model, its layers renamed.
 */
export function renamed(graph: Graph): Graph {
  const names = layerNames(graph);
  const byOld = new Map([...names].map(([{ name }, to]) => [name, to]));
  const tensor = ({ layer, node, output }: TensorRef): TensorRef =>
    new TensorRef(byOld.get(layer) ?? layer, node, output);
  const map = (value: Argument): Argument => {
    if (value instanceof TensorRef) return tensor(value);
    if (Array.isArray(value)) return value.map(map);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, map(one)]));
  };
  const layers = new Map(
    [...names].map(([layer, name]) => [
      layer,
      {
        ...layer,
        name,
        nodes: layer.nodes.map(({ args, kwargs }) => ({
          args: args.map(map),
          kwargs: map({ ...kwargs }) as Record<string, Argument>,
        })),
        graph: layer.graph && renamed(layer.graph),
      },
    ]),
  );
  const port = (one: GraphPort): GraphPort => ({ ...one, tensor: tensor(one.tensor) });
  return {
    ...graph,
    layers: [...layers.values()],
    inputs: graph.inputs.map(port),
    outputs: graph.outputs.map(port),
    calls: graph.calls.map(({ layer, node }) => ({ layer: layers.get(layer)!, node })),
  };
}
