/** Builds the model that a graph describes. */
import * as tfl from '@tensorflow/tfjs-layers';
import type { DataType } from '@tensorflow/tfjs-core';
import { assert } from '../../util/errors.js';
import { bindCall } from './bind_call.js';
import { GraphContext } from './build_context.js';
import { planLayer } from './check_graph.js';
import {
  layerOf,
  tensorsIn,
  TensorRef,
  type Argument,
  type Graph,
  type GraphLayer,
} from './graph.js';
import { executionOrder } from './layer_order.js';
import type { KerasVersion } from './keras_version.js';
import { sharing, type CallValue, type Flow, type MaskRule } from './layer_entry.js';
import { renamed } from './layer_names.js';
import type { CustomObjects } from './layer_table.js';
import { translated, type Mask } from './masks.js';
import { dtypeOf } from './operator_entries.js';
import { dtypeName } from './options.js';

type Tensor = tfl.SymbolicTensor;

/** What a build needs to know. */
export interface BuildOptions {
  /** Version of Keras. */
  readonly version: KerasVersion;
  /** What the user gave. */
  readonly custom: CustomObjects;
  /** Gets every layer that is made, so that it can be disposed of. */
  readonly created: tfl.layers.Layer[];
}

/** A model that was built. */
interface BuiltModel {
  readonly model: tfl.LayersModel;
  /** Its inputs without those of masks. */
  readonly inputs: readonly Tensor[];
  /** Inputs that were given with a mask, by their place. */
  readonly masked: readonly boolean[];
  /** The mask of each of them. */
  readonly masks: readonly (Tensor | null)[];
  /** Those of `masks` that the model takes, by the places of their inputs. */
  readonly takes: readonly number[];
  /** Masks of the outputs, in terms of the model's own tensors. */
  readonly outputMasks: readonly (Mask | null)[];
  /** Places of the inputs whose masks Python takes off while the model runs. */
  readonly unmasks: readonly number[];
  /** For each output the place of the input that it is, in Python the very same tensor; -1 for any other. */
  readonly returned: readonly number[];
}

/**
 * Builds a model, with weights that are not yet those of the file.
 *
 * @param graph The model, of which everything is supported.
 * @param options What the build needs to know.
 * @returns The model.
 */
export function buildModel(graph: Graph, options: BuildOptions): tfl.LayersModel {
  const own = renamed(graph);
  const { model } = new GraphBuilder(own, options, true).build(own.inputs.map(() => false));
  // TensorFlow.js counts every call of a layer; a model that is disposed of takes off one, and of a model in it two.
  for (const layer of options.created) {
    Reflect.set(layer, '_refCount', layer instanceof tfl.LayersModel ? 2 : 1);
  }
  return model;
}

/** Builds one graph. */
class GraphBuilder {
  private readonly context: GraphContext;
  private readonly flows = new Map<string, Flow>();
  /** By the key of a tensor, that of the tensor that it is in Python. */
  private readonly origins = new Map<string, string>();
  private readonly layers = new Map<string, tfl.layers.Layer | null>();
  private readonly nested = new Map<string, BuiltModel>();
  /** Keys of the tensors of Python that have lost their masks. */
  private readonly unmasked = new Set<string>();

  constructor(
    private readonly graph: Graph,
    private readonly options: BuildOptions,
    private readonly isWhole: boolean,
  ) {
    const names = new Set(graph.layers.map(({ name }) => name));
    // Layers that become an operator leave their name to it.
    const reserved = graph.layers.filter((layer) => {
      if (layer.className === 'InputLayer' || layer.graph) return false;
      return !planLayer(layer, options.version, options.custom)?.entry.make;
    });
    this.context = new GraphContext(
      options.version,
      names,
      new Set(reserved.map(({ name }) => name)),
      options.created,
    );
  }

  build(masked: readonly boolean[]): BuiltModel {
    const { graph, context } = this;
    const inputs = graph.inputs.map(({ tensor, key }) =>
      this.input(layerOf(graph, tensor.layer), key),
    );
    const masks = inputs.map((input, i) => (masked[i] ? this.maskInput(input) : null));
    inputs.forEach((tensor, i) => {
      const of = masks[i];
      const flow = { tensor, mask: of && ({ kind: 'tensor', of } as const) };
      this.flows.set(keyOf(graph.inputs[i].tensor), flow);
    });
    for (const { layer, node } of executionOrder(graph)) {
      this.call(layer, node).forEach((flow, output) => {
        this.flows.set(keyOf(new TensorRef(layer.name, node, output)), flow);
      });
      this.forgetMasks(layer, node);
    }
    const results = graph.outputs.map(({ tensor }) => this.flowOf(tensor));
    const outputs = this.outputs(
      results.map(({ tensor }) => tensor),
      inputs,
    );
    const takes = masks.flatMap((mask, i) => (mask && context.used.has(mask) ? [i] : []));
    const model = tfl.model({
      inputs: [...inputs, ...takes.map((i) => masks[i]!)],
      outputs,
      name: graph.name,
    });
    const outputMasks = results.map(({ mask }) => mask);
    const keys = graph.inputs.map(({ tensor }) => keyOf(tensor));
    const unmasks = keys.flatMap((key, i) => (this.unmasked.has(key) ? [i] : []));
    const returned = graph.outputs.map(({ tensor }) => keys.indexOf(this.originOf(tensor)));
    return { model, inputs, masked, masks, takes, outputMasks, unmasks, returned };
  }

  /** Python's attention takes the masks off its inputs: whoever reads them later sees none. */
  private forgetMasks(layer: GraphLayer, node: number): void {
    const { given, returned } = this.passes(layer, node);
    returned.forEach((tensor, output) => {
      if (!tensor) return;
      this.origins.set(keyOf(new TensorRef(layer.name, node, output)), this.originOf(tensor));
    });
    for (const tensor of given) {
      const origin = this.originOf(tensor);
      this.unmasked.add(origin);
      for (const [key, flow] of this.flows) {
        if ((this.origins.get(key) ?? key) === origin) this.flows.set(key, { ...flow, mask: null });
      }
    }
  }

  /** Of a call: the tensors that lose their masks by it (`given`), and for each output the tensor that it is. */
  private passes(
    layer: GraphLayer,
    node: number,
  ): { given: TensorRef[]; returned: (TensorRef | undefined)[] } {
    const { args, kwargs } = layer.nodes[node];
    if (layer.graph) {
      const { unmasks, returned } = this.nested.get(layer.name)!;
      const inside = layer.graph;
      const tensors = modelArguments(layer, inside, node);
      // A model makes a copy of what has another dtype than its input: then the tensor outside stays as it is.
      const isCopied = (i: number): boolean =>
        outputDtype(layerOf(this.graph, tensors[i].layer)) !==
        outputDtype(layerOf(inside, inside.inputs[i].tensor.layer));
      return {
        given: unmasks.filter((i) => !isCopied(i)).map((i) => tensors[i]),
        returned: returned.map((i) => (i < 0 || isCopied(i) ? undefined : tensors[i])),
      };
    }
    const returned = RETURNS_INPUT.includes(layer.className) ? tensorsIn(args.slice(0, 1)) : [];
    return {
      given: tensorsIn(unmaskedBy(layer, args, kwargs, this.options.version)),
      returned,
    };
  }

  /** The key of the tensor that Python has there: some layers return the very tensor that they are given. */
  private originOf(tensor: TensorRef): string {
    return this.origins.get(keyOf(tensor)) ?? keyOf(tensor);
  }

  private input({ name, config }: GraphLayer, key: string | null): Tensor {
    const free = key !== null && !this.graph.layers.some((layer) => layer.name === key);
    return tfl.input({
      batchShape: (config.batch_shape ?? config.batch_input_shape) as tfl.Shape,
      dtype: dtypeOf(config.dtype ?? 'float32') as DataType,
      name: this.isWhole && free ? key : name,
    });
  }

  private maskInput(input: Tensor): Tensor {
    return tfl.input({
      batchShape: input.shape.slice(0, 2),
      dtype: 'bool',
      name: this.context.uniqueName(`${input.sourceLayer.name}_mask`),
    });
  }

  /** The outputs under the names that they have in Python; one that TensorFlow.js cannot give out as it is, is copied. */
  private outputs(results: readonly Tensor[], inputs: readonly Tensor[]): Tensor[] {
    const names = new Set<string>();
    return results.map((tensor, i) => {
      const key = this.isWhole ? this.graph.outputs[i].key : null;
      const own = tensor.sourceLayer.name;
      const fits = (key === null || key === own) && !names.has(own) && !inputs.includes(tensor);
      const given = fits
        ? tensor
        : this.context.operator(key ?? `${own}_output`, 'identity', [tensor])[0];
      names.add(given.sourceLayer.name);
      return given;
    });
  }

  private flowOf(tensor: TensorRef): Flow {
    const flow = this.flows.get(keyOf(tensor));
    assert(
      flow !== undefined,
      () => `layer '${tensor.layer}' has no output ${tensor.output} of call ${tensor.node}.`,
    );
    return flow;
  }

  private valueOf(argument: Argument): CallValue {
    if (argument instanceof TensorRef) return this.flowOf(argument);
    if (Array.isArray(argument)) return argument.map((one) => this.valueOf(one));
    if (typeof argument !== 'object' || argument === null) return argument;
    return Object.fromEntries(
      Object.entries(argument).map(([name, one]) => [name, this.valueOf(one)]),
    );
  }

  private call(source: GraphLayer, node: number): Flow[] {
    if (source.graph) return this.callModel(source, source.graph, node);
    const { context, options } = this;
    const { entry, converted } = planLayer(source, options.version, options.custom)!;
    const bound = bindCall(entry, source.nodes[node]);
    const values = Object.fromEntries(
      Object.entries(bound.values).map(([name, value]) => [name, this.valueOf(value)]),
    );
    const call = { source, values, options: converted.options, context };
    let layer = this.layers.get(source.name);
    if (layer === undefined) {
      layer = entry.make?.(converted.options, call) ?? null;
      if (layer) {
        options.created.push(layer);
        layer.setFastWeightInitDuringBuild(true); // the file's weights are about to come
      }
      this.layers.set(source.name, layer);
    }
    const flows = entry.apply?.(layer, call) ?? applied(layer!, values, entry.mask);
    if (layer && source.config.trainable === false) layer.trainable = false;
    if (!converted.activation) return flows;
    const { op, operands = [] } = converted.activation;
    const [first, ...others] = flows;
    const name = `${source.name}_activation`;
    const [tensor] = context.operator(name, op, [first.tensor, ...operands]);
    return [{ ...first, tensor }, ...others];
  }

  /** Calls a nested model; masks of its inputs that something inside uses become inputs too. */
  private callModel(source: GraphLayer, graph: Graph, node: number): Flow[] {
    const args = modelArguments(source, graph, node).map((tensor) => this.flowOf(tensor));
    const masked = args.map(({ mask }) => mask !== null);
    let built = this.nested.get(source.name);
    if (!built) {
      built = new GraphBuilder({ ...graph, name: source.name }, this.options, false).build(masked);
      this.nested.set(source.name, built);
      this.options.created.push(built.model);
    }
    const { model, masks, takes, inputs, outputMasks } = built;
    const wrong = masked.findIndex((one, i) => one && !built.masked[i]);
    assert(
      wrong < 0,
      () =>
        `model '${source.name}' (${source.path}) is called with a mask that its first call does not have.`,
    );
    const { context } = this;
    const maskOf = (i: number): Mask => args[i].mask ?? { kind: 'all', of: args[i].tensor };
    const given = [
      ...args.map(({ tensor }) => tensor),
      ...takes.map((i) => context.maskTensor(maskOf(i))),
    ];
    // A tensor that is fed twice, TensorFlow.js would dispose of too early.
    const distinct = given.map((tensor, i) =>
      given.indexOf(tensor) === i
        ? tensor
        : context.operator(`${source.name}_input_${i}`, 'identity', [tensor])[0],
    );
    const outputs = [
      model.apply(distinct.length === 1 ? distinct[0] : distinct),
    ].flat() as Tensor[];
    return outputs.map((tensor, i) => ({
      tensor,
      mask:
        outputMasks[i] &&
        translated(outputMasks[i], (leaf) => {
          const mask = masks.indexOf(leaf.of);
          if (mask >= 0) return maskOf(mask);
          const input = inputs.indexOf(leaf.of);
          if (input < 0) return { kind: 'unreachable', model: source.name };
          return { ...leaf, of: args[input].tensor };
        }),
    }));
  }
}

/** Tensors for the inputs of a nested model, which may be called with a list or a dictionary. */
function modelArguments(source: GraphLayer, graph: Graph, node: number): TensorRef[] {
  const [first] = source.nodes[node].args;
  const where = `model '${source.name}' (${source.path})`;
  if (
    typeof first === 'object' &&
    first !== null &&
    !Array.isArray(first) &&
    !(first instanceof TensorRef)
  ) {
    return graph.inputs.map(({ key, tensor }) => {
      const given = (first[key ?? tensor.layer] ?? first[tensor.layer]) as Argument | undefined;
      assert(
        given instanceof TensorRef,
        () => `${where}: is called without its input '${key ?? tensor.layer}'.`,
      );
      return given;
    });
  }
  const tensors = tensorsIn(source.nodes[node].args);
  assert(
    tensors.length === graph.inputs.length,
    () =>
      `${where}: has ${graph.inputs.length} inputs, and is called with ${tensors.length} tensors.`,
  );
  return tensors;
}

/** The dtype of a layer's output, `float32` where the file does not say. */
function outputDtype({ config }: GraphLayer): string {
  return (dtypeName(config.dtype) ?? 'float32').replace('mixed_', '');
}

/** Layers that return the tensor that they are given, outside of training. */
const RETURNS_INPUT = [
  'Dropout', 'SpatialDropout1D', 'SpatialDropout2D', 'SpatialDropout3D', 'GaussianNoise', 'GaussianDropout', 'AlphaDropout',
  'ActivityRegularization', 'Identity',
]; // prettier-ignore

/**
 * The tensors that lose their masks when a layer runs. Since Keras 3.7 MultiHeadAttention clears the masks beside its query,
 * value and key while it runs, and they stay cleared: in `h + attention(h, h)` the sum has no mask.
 */
function unmaskedBy(
  { className, registeredName, config }: GraphLayer,
  args: readonly Argument[],
  kwargs: Readonly<Record<string, Argument>>,
  version: KerasVersion,
): Argument[] {
  if (!version.atLeast(3, 7)) return [];
  if (className === 'MultiHeadAttention' && registeredName === null) {
    const { query = null, value = null, key = null } = kwargs;
    return [...args.slice(0, 3), query, value, key];
  }
  // That of keras-hub gives its own input to a MultiHeadAttention, unless it normalizes it first.
  if (className === 'TransformerEncoder' && config.normalize_first !== true) {
    return [args[0] ?? kwargs.inputs];
  }
  return [];
}

/** The plain call of a layer with one tensor. */
function applied(
  layer: tfl.layers.Layer,
  values: Readonly<Record<string, CallValue>>,
  mask: MaskRule = 'dropped',
): Flow[] {
  const first = Object.values(values)[0] as Flow;
  const outputs = [layer.apply(first.tensor)].flat() as Tensor[];
  if (mask === 'shared') return [sharing(outputs[0], first)];
  return outputs.map((tensor, i) => ({
    tensor,
    mask: mask === 'kept' && i === 0 ? first.mask : null,
  }));
}

function keyOf({ layer, node, output }: TensorRef): string {
  return `${node}:${output}:${layer}`;
}
