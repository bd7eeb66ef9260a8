/** A graph as the configuration that Keras 3 writes into a `.keras` file. */
import {
  layerOf,
  TensorRef,
  type Argument,
  type Graph,
  type GraphLayer,
  type GraphPort,
} from './graph.js';
import { isObject, type Json } from './json.js';
import { moduleOfLayer, moduleOfObject } from './python_modules.js';

/** What Keras 2 or older versions wrote, and the constructors of Keras 3 do not take. */
const GONE: Record<string, string[]> = {
  '*': ['batch_input_shape', 'input_shape', 'input_dtype', 'ragged'],
  MultiHeadAttention: ['query_shape', 'value_shape', 'key_shape'],
  Embedding: ['input_length'],
  Attention: ['causal'],
  AdditiveAttention: ['causal'],
  LSTM: ['implementation', 'time_major'],
  GRU: ['implementation', 'time_major'],
  SimpleRNN: ['implementation', 'time_major'],
  BatchNormalization: [
    'renorm',
    'fused',
    'virtual_batch_size',
    'renorm_clipping',
    'renorm_momentum',
  ],
};

/** Options that Keras 3 calls by another name. */
const RENAMED: Record<string, Record<string, string>> = {
  LeakyReLU: { alpha: 'negative_slope' },
};

/** The class under which Keras exports another name: HDF5 files have the one that it has inside. */
const EXPORTED: Record<string, string> = { GroupedQueryAttention: 'GroupQueryAttention' };

/** Keras 3 finds tensors by their history: shape and dtype only have to be there. */
const ANY_SHAPE = [null];

/**
 * The configuration of a model for `config.json` of a `.keras` file.
 *
 * @param graph The model; Keras 2's description as well as Keras 3's.
 * @returns `{module, class_name, config, registered_name}`.
 */
export function keras3Config(graph: Graph): Json {
  const layers = graph.layers.map((layer) => layerEntry(layer, graph.isSequential));
  if (graph.isSequential) {
    const shape = graph.layers[0].config.batch_shape ?? graph.layers[0].config.batch_input_shape;
    return {
      module: 'keras',
      class_name: 'Sequential',
      config: { name: graph.name, trainable: true, layers, build_input_shape: shape ?? null },
      registered_name: null,
    };
  }
  return {
    module: 'keras.src.models.functional',
    class_name: 'Functional',
    config: {
      name: graph.name,
      trainable: true,
      layers,
      input_layers: ports(graph, graph.inputs),
      output_layers: ports(graph, graph.outputs),
    },
    registered_name: 'Functional',
  };
}

function layerEntry(layer: GraphLayer, inSequence: boolean): Json {
  const { name, className, registeredName, isOperator } = layer;
  const entry = layer.graph
    ? keras3Config(layer.graph)
    : {
        module: moduleOfLayer(className, isOperator, registeredName),
        class_name: EXPORTED[className] ?? className,
        config: layerConfig(layer),
        registered_name: registeredName,
      };
  if (inSequence) return entry;
  return {
    ...entry,
    name,
    inbound_nodes: layer.nodes.map(({ args, kwargs }) => ({
      args: args.map(written),
      kwargs: Object.fromEntries(
        Object.entries(kwargs).map(([key, value]) => [key, written(value)]),
      ),
    })),
  };
}

function layerConfig({ className, config, isOperator }: GraphLayer): Json {
  if (className === 'InputLayer') {
    return {
      batch_shape: config.batch_shape ?? config.batch_input_shape,
      dtype: dtypeName(config.dtype),
      sparse: false,
      name: config.name,
    };
  }
  return isOperator ? config : objectsWithModules(className, config);
}

/** A layer's configuration, the objects in it named as Keras 3 finds them. */
function objectsWithModules(className: string, config: Json): Json {
  const gone = [...GONE['*'], ...(GONE[className] ?? [])];
  const renamed = RENAMED[className] ?? {};
  return Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => !gone.includes(key))
      .map(([key, value]) => [renamed[key] ?? key, withModule(key, value)]),
  );
}

function withModule(key: string, value: unknown): unknown {
  if (key === 'dtype') return dtypePolicy(value);
  if (Array.isArray(value)) return value.map((one) => withModule(key, one));
  if (!isObject(value) || typeof value.class_name !== 'string') return value;
  const full = value.class_name;
  const className = full.slice(full.lastIndexOf('>') + 1);
  const registered = value.registered_name ?? (full.includes('>') ? full : null);
  const inner = isObject(value.config) ? objectsWithModules(className, value.config) : value.config;
  return {
    module: value.module ?? moduleOfObject(key),
    class_name: className,
    config: inner,
    registered_name: registered,
  };
}

function dtypeName(value: unknown): unknown {
  return isObject(value) && isObject(value.config) ? value.config.name : (value ?? 'float32');
}

function dtypePolicy(value: unknown): unknown {
  if (value === null || value === undefined) return null;
  return {
    module: 'keras',
    class_name: 'DTypePolicy',
    config: { name: dtypeName(value) },
    registered_name: null,
  };
}

/** An argument of a call. */
function written(argument: Argument): unknown {
  if (argument instanceof TensorRef) {
    const keras_history = [argument.layer, argument.node, argument.output];
    return {
      class_name: '__keras_tensor__',
      config: { shape: ANY_SHAPE, dtype: 'float32', keras_history },
    };
  }
  if (Array.isArray(argument)) return argument.map(written);
  if (typeof argument !== 'object' || argument === null) return argument;
  if ('slice' in argument && Array.isArray(argument.slice)) {
    const [start, stop, step] = argument.slice;
    return { class_name: '__slice__', config: { start, stop, step } };
  }
  if ('ellipsis' in argument) return { class_name: '__ellipsis__', config: {} };
  return Object.fromEntries(Object.entries(argument).map(([key, value]) => [key, written(value)]));
}

/** One port is written bare, several as a list, ports with keys as a dictionary. */
function ports(graph: Graph, list: readonly GraphPort[]): unknown {
  const triples = list.map(({ tensor: { layer, node, output } }) => {
    const inner = layerOf(graph, layer).graph;
    // Here, and not between layers, Keras counts the call that a functional model had when it was made.
    return [layer, inner && !inner.isSequential ? node + 1 : node, output];
  });
  if (list.every(({ key }) => key !== null)) {
    return Object.fromEntries(list.map(({ key }, i) => [key, triples[i]]));
  }
  return triples.length === 1 ? triples[0] : triples;
}
