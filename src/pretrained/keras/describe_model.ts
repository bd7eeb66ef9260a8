/** A model that was built in JavaScript as a graph of Keras' layers. */
import * as tfl from '@tensorflow/tfjs-layers';
import { ArgumentLayer } from '../../layers/argument_layer.js';
import { Operator, type OperandTemplate } from '../../layers/operator.js';
import { MaskedSequence } from '../../layers/masked_sequence.js';
import { SharedCall } from '../../layers/shared_call.js';
import type { Counterpart } from './layer_counterparts.js';
import { describeLayer, type LayerDescription } from './describe_layer.js';
import { TensorRef, type Argument, type Graph, type GraphLayer, type GraphNode } from './graph.js';
import { operatorCounterpart } from './operator_counterparts.js';
import { callOf, dependsOnMask, inputsOf, isChained, outputsOf } from './symbolic_call.js';

type Layer = tfl.layers.Layer;
type Mutable = Omit<GraphLayer, 'nodes'> & { nodes: GraphNode[] };

/**
 * Describes a model. Masks are written as tensors of the graph and named in the calls, so that nothing depends on what
 * Keras keeps beside a tensor: `Embedding` never makes a mask here.
 *
 * @param model The model.
 * @param problems Gets what Keras cannot do, a text a layer.
 * @returns The graph; of use only when there are no problems.
 */
export function describeModel(model: tfl.LayersModel, problems: string[]): Graph {
  return new Describer(problems).describe(model);
}

class Describer {
  private readonly layers = new Map<string, Mutable>();
  private readonly found = new Map<tfl.SymbolicTensor, TensorRef>();
  /** Masks of the form [B, S], which in JavaScript are [B, 1, 1, S]. */
  private readonly masks = new Set<tfl.SymbolicTensor>();

  constructor(private readonly problems: string[]) {}

  describe(model: tfl.LayersModel): Graph {
    for (const input of model.inputs) this.visit(input);
    for (const output of model.outputs) this.visit(output);
    const port = (tensor: tfl.SymbolicTensor): { key: null; tensor: TensorRef } => {
      if (this.masks.has(tensor)) this.problem(tensor.sourceLayer, 'a mask cannot be an output');
      return { key: null, tensor: this.found.get(tensor)! };
    };
    const layers = [...this.layers.values()];
    const isSequential =
      model instanceof tfl.Sequential &&
      layers.length ===
        model.layers.filter((one) => one.getClassName() !== 'InputLayer').length + 1 &&
      layers.every((layer, i) => i === 0 || isChained(layer));
    return {
      name: model.name,
      layers,
      inputs: model.inputs.map(port),
      outputs: model.outputs.map(port),
      isSequential,
      calls: [],
    };
  }

  /** Describes what a tensor is computed by, inputs first. */
  private visit(tensor: tfl.SymbolicTensor): void {
    const stack = [tensor];
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      const inputs = inputsOf(top);
      const missing = inputs.filter((input) => !this.found.has(input));
      if (missing.length > 0 && !this.found.has(top)) {
        stack.push(...missing.reverse());
        continue;
      }
      stack.pop();
      if (!this.found.has(top)) this.add(top, inputs);
    }
  }

  private problem(layer: Layer, text: string): void {
    this.problems.push(`layer '${layer.name}' (${layer.getClassName()}): ${text}`);
  }

  private add(tensor: tfl.SymbolicTensor, inputs: tfl.SymbolicTensor[]): void {
    const layer = tensor.sourceLayer;
    const className = layer.getClassName();
    if (layer.name.includes('/')) this.problem(layer, "its name holds a '/', which Keras refuses");
    if (className === 'InputLayer') {
      const config = { batch_shape: tensor.shape, dtype: tensor.dtype, name: layer.name };
      this.keep(layer, { className, registeredName: null, config });
      this.found.set(tensor, new TensorRef(layer.name, 0, 0));
      return;
    }
    const outputs = outputsOf(tensor);
    const made = this.call(layer, inputs, outputs);
    outputs.forEach((output, i) =>
      this.found.set(
        output,
        made instanceof TensorRef ? new TensorRef(made.layer, made.node, i) : made[i],
      ),
    );
  }

  /** Adds the call; gives its first output, or all of them. */
  private call(
    layer: Layer,
    inputs: tfl.SymbolicTensor[],
    outputs: tfl.SymbolicTensor[],
  ): TensorRef | TensorRef[] {
    const refs = inputs.map((input) => this.found.get(input)!);
    const className = layer.getClassName();
    if (layer instanceof tfl.LayersModel) return this.nested(layer, refs);
    if (className === 'PaddingMask' || className === 'FeatureMask' || className === 'AndMask') {
      this.masks.add(outputs[0]);
      return this.mask(layer, refs);
    }
    if (!(layer instanceof ArgumentLayer)) {
      for (const input of inputs) {
        if (this.masks.has(input))
          this.problem(layer, 'takes a mask that only attention and pooling take in Keras');
      }
    }
    if (className === 'FirstToken')
      return this.operator(layer.name, 'GetItem', [refs[0], [WHOLE, 0]]);
    if (layer instanceof Operator) return this.operatorLayer(layer, refs);
    if (layer instanceof SharedCall) return this.sharedCall(layer, inputs, refs);
    const isMaskedSequence = layer instanceof MaskedSequence;
    const described = describeLayer(isMaskedSequence ? layer.layer : layer);
    if (!described) {
      this.problem(layer, 'Keras has no such layer');
      return new TensorRef(layer.name, 0, 0);
    }
    for (const text of described.problems) this.problem(layer, text);
    const config = { ...described.config, name: layer.name };
    const node = isMaskedSequence
      ? { args: [refs[0]], kwargs: refs.length > 1 ? { mask: refs[1] } : {} }
      : this.arguments(layer, described, inputs, refs, outputs[0]);
    const ref = this.push(layer, { ...described, config }, node);
    if (described.tanhGelu) {
      return this.operator(`${layer.name}_gelu`, 'Gelu', [ref], { approximate: true });
    }
    // What Keras keeps beside the output of Masking would reach layers that see no mask in JavaScript.
    return className === 'Masking'
      ? this.operator(`${layer.name}_values`, 'Multiply', [ref, 1])
      : ref;
  }

  /** Arguments of a call as Python names them. */
  private arguments(
    layer: Layer,
    { counterpart, className }: LayerDescription,
    inputs: tfl.SymbolicTensor[],
    refs: TensorRef[],
    output: tfl.SymbolicTensor,
  ): GraphNode {
    if (counterpart.call === 'list') return { args: [refs], kwargs: {} };
    if (counterpart.call === 'one' || !(layer instanceof ArgumentLayer)) {
      if (refs.length > 1)
        this.problem(layer, `takes ${refs.length} tensors here, and one in Keras`);
      const mask = RECURRENT.includes(className) ? this.implied(layer, inputs[0]) : null;
      const isReverse =
        className === 'ReversibleEmbedding' && output.shape.length === inputs[0].shape.length;
      return {
        args: [refs[0]],
        kwargs: { ...(mask ? { mask } : {}), ...(isReverse ? { reverse: true } : {}) },
      };
    }
    const { inputs: given, ...flags } = layer.getConfig();
    const names =
      (given as string[] | undefined) ?? Object.keys(counterpart.arguments!).slice(0, refs.length);
    return this.namedCall(layer, counterpart, names, flags, inputs, refs);
  }

  /** A call with tensors and flags by name. */
  private namedCall(
    layer: Layer,
    counterpart: Counterpart,
    names: string[],
    flags: Readonly<Record<string, unknown>>,
    inputs: tfl.SymbolicTensor[],
    refs: TensorRef[],
  ): GraphNode {
    const values = new Map<number | string, Argument>();
    names.forEach((joined, i) => {
      for (const name of this.parts(joined, names, counterpart)) {
        if (name === 'layer') continue;
        const place = counterpart.arguments![name] as number | string | undefined;
        if (place === undefined) this.problem(layer, `Keras has no argument for '${name}'`);
        else {
          const value = this.fitting(inputs[i], refs[i], place);
          values.set(place, this.both(layer, values.get(place), value));
        }
      }
    });
    const kwargs: Record<string, Argument> = {};
    for (const [flag, python] of Object.entries(counterpart.flags ?? {})) {
      if (flags[flag] !== undefined) kwargs[python] = flags[flag] as boolean;
    }
    return callOf(values, kwargs);
  }

  /** One more call of a layer that is in the graph. */
  private sharedCall(layer: Layer, inputs: tfl.SymbolicTensor[], refs: TensorRef[]): TensorRef {
    const { inputs: names, flags } = layer.getConfig() as {
      inputs: string[];
      flags: Record<string, unknown>;
    };
    const { sourceLayer } = inputs[names.findIndex((name) => name.split('+').includes('layer'))];
    const described = describeLayer(sourceLayer);
    if (!described?.counterpart.arguments) {
      this.problem(layer, 'Keras has no such layer');
      return new TensorRef(layer.name, 0, 0);
    }
    const node = this.namedCall(layer, described.counterpart, names, flags, inputs, refs);
    return this.push(sourceLayer, described, node);
  }

  /** What an input is; the query is the value too where no other input is. */
  private parts(joined: string, names: string[], counterpart: Counterpart): string[] {
    const parts = joined.split('+');
    const isGiven = names.some((name) => name.split('+').includes('value'));
    const takesValue = counterpart.arguments!.value !== undefined;
    return parts.includes('query') && takesValue && !isGiven ? [...parts, 'value'] : parts;
  }

  /** A mask where [B, 1, S] is asked for instead of [B, S]. */
  private fitting(tensor: tfl.SymbolicTensor, ref: TensorRef, place: number | string): Argument {
    if (!this.masks.has(tensor) || !String(place).endsWith('attention_mask')) return ref;
    return this.operator(`${tensor.sourceLayer.name}_of_queries`, 'ExpandDims', [ref], { axis: 1 });
  }

  private both(layer: Layer, a: Argument | undefined, b: Argument): Argument {
    return a === undefined ? b : this.operator(`${layer.name}_mask`, 'LogicalAnd', [a, b]);
  }

  private mask(layer: Layer, refs: TensorRef[]): TensorRef {
    const config = layer.getConfig();
    switch (layer.getClassName()) {
      case 'PaddingMask':
        return this.operator(layer.name, 'NotEqual', [refs[0], config.padId]);
      case 'FeatureMask': {
        const used = this.operator(`${layer.name}_used`, 'NotEqual', [refs[0], config.maskValue]);
        return this.operator(layer.name, 'Any', [used], { axis: -1, keepdims: false });
      }
      default:
        return refs.reduce((a, b) => this.operator(layer.name, 'LogicalAnd', [a, b]));
    }
  }

  /** The mask that TensorFlow.js hands to a recurrent layer, where that is plain: ids, embedding, layers with one input. */
  private implied(layer: Layer, tensor: tfl.SymbolicTensor): TensorRef | null {
    for (let at = tensor; ;) {
      const { sourceLayer } = at;
      const inputs = inputsOf(at);
      const { maskZero, maskValue } = sourceLayer.getConfig() as {
        maskZero?: boolean;
        maskValue?: number;
      };
      const from = inputs.length === 1 ? this.found.get(inputs[0])! : null;
      if (maskZero && from) return this.operator(`${layer.name}_mask`, 'NotEqual', [from, 0]);
      if (sourceLayer.getClassName() === 'Masking' && from) {
        const used = this.operator(`${layer.name}_used`, 'NotEqual', [from, maskValue ?? 0]);
        return this.operator(`${layer.name}_mask`, 'Any', [used], { axis: -1, keepdims: false });
      }
      if (inputs.length === 1 && sourceLayer.supportsMasking) at = inputs[0];
      else {
        if (dependsOnMask(at)) {
          this.problem(
            layer,
            'which mask reaches it cannot be told. Use layers.maskedSequence, which is given its mask',
          );
        }
        return null;
      }
    }
  }

  private nested(model: tfl.LayersModel, refs: TensorRef[]): TensorRef {
    const known = this.layers.get(model.name)?.graph;
    const graph = known ?? describeModel(model, this.problems);
    const base = {
      className: graph.isSequential ? 'Sequential' : 'Functional',
      registeredName: null,
      config: { name: model.name },
      graph,
    };
    return this.push(model, base, { args: [refs.length === 1 ? refs[0] : refs], kwargs: {} });
  }

  private operatorLayer(layer: Operator, refs: TensorRef[]): TensorRef {
    const fill = (operand: OperandTemplate): Argument => {
      if (Array.isArray(operand)) return operand.map(fill);
      return typeof operand === 'object' && operand !== null && 'input' in operand
        ? refs[operand.input]
        : operand;
    };
    const operands = layer.operands?.map(fill) ?? refs;
    if (layer.op === 'identity') return operands[0] as TensorRef;
    const counterpart = operatorCounterpart(layer.op, operands);
    if (!counterpart) this.problem(layer, `Keras has no operator '${layer.op}'`);
    const { className = '', args = [], options = {} } = counterpart ?? {};
    return this.operator(layer.name, className, args, options);
  }

  /** Adds an operator of `keras.ops` under a name that is still free. */
  private operator(
    wanted: string,
    className: string,
    args: Argument[],
    options: Readonly<Record<string, unknown>> = {},
  ): TensorRef {
    let name = wanted;
    for (let i = 1; this.layers.has(name); i++) name = `${wanted}_${i}`;
    const config = { name, ...options };
    const entry = { name, className, registeredName: null, module: '', isOperator: true, config };
    this.layers.set(name, { ...entry, path: '', nodes: [{ args, kwargs: {} }], graph: null });
    return new TensorRef(name, 0, 0);
  }

  private push(layer: Layer, base: Base, node: GraphNode): TensorRef {
    const { nodes } = this.keep(layer, base);
    nodes.push(node);
    return new TensorRef(layer.name, nodes.length - 1, 0);
  }

  private keep(layer: Layer, { className, registeredName, config, graph = null }: Base): Mutable {
    const known = this.layers.get(layer.name);
    if (known) return known;
    const entry = {
      name: layer.name,
      className,
      registeredName,
      module: '',
      isOperator: false,
      config,
    };
    const made: Mutable = { ...entry, path: '', nodes: [], graph };
    this.layers.set(layer.name, made);
    return made;
  }
}

type Base = Pick<GraphLayer, 'className' | 'registeredName' | 'config'> & { graph?: Graph | null };

const WHOLE: Argument = { slice: [null, null, null] };
const RECURRENT = ['LSTM', 'GRU', 'SimpleRNN', 'Bidirectional', 'TimeDistributed'];
