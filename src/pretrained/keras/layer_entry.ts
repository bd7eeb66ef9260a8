/** What is known of a class of Keras: its options, how it is called, what becomes of it here. */
import type * as tfl from '@tensorflow/tfjs-layers';
import type { OperandTemplate } from '../../layers/operator.js';
import type { GraphLayer } from './graph.js';
import type { Json } from './json.js';
import type { KerasVersion } from './keras_version.js';
import type { Mask } from './masks.js';

/** A tensor on its way through the graph, with the mask that Keras keeps beside it. */
export interface Flow {
  /** The tensor. */
  readonly tensor: tfl.SymbolicTensor;
  /** Its mask; null for none. An attention layer may take it away. */
  mask: Mask | null;
}

/** An argument of a call: a tensor, a constant, or lists and objects of them. */
export type CallValue =
  Flow | number | string | boolean | null | CallValue[] | { readonly [name: string]: CallValue };

/**
 * What an argument may be: a tensor that must be there; one that may be; a list of tensors; a boolean; anything; or nothing
 * but its default (null, false, or what `OPTIONAL_DEFAULTS` says).
 */
export type ArgumentKind = 'tensor' | 'optional' | 'list' | 'flag' | 'any' | 'unused';

/** Which options of a class are understood, by their names in Python. */
export interface OptionRules {
  /** Become ours, in camel case. */
  readonly taken?: readonly string[];
  /** Have no meaning here. */
  readonly ignored?: readonly string[];
  /** Are supported only with one of these values. */
  readonly only?: Readonly<Record<string, readonly unknown[]>>;
}

/** What a layer is built with. */
export interface BuildContext {
  /** The version of Keras that wrote the file. */
  readonly version: KerasVersion;
  /** A mask as a tensor, [B, S]; made once. */
  maskTensor(mask: Mask): tfl.SymbolicTensor;
  /**
   * Puts an operator into the graph.
   *
   * @param name Its name, which is changed when there is one.
   * @param op See `layers.operator`.
   * @param operands Tensors and constants.
   * @returns Its outputs.
   */
  operator(name: string, op: string, operands: readonly OperandValue[]): tfl.SymbolicTensor[];
  /**
   * Calls a layer of this package with named arguments; a second time in another way, by a `sharedCall`.
   *
   * @param layer The layer.
   * @param first Name and tensor of its first argument.
   * @param named Its other tensors.
   * @param flags Its flags.
   * @returns Its outputs.
   */
  callNamed(
    layer: tfl.layers.Layer,
    first: readonly [name: string, tensor: tfl.SymbolicTensor],
    named: Readonly<Record<string, tfl.SymbolicTensor>>,
    flags?: Readonly<Record<string, boolean>>,
  ): tfl.SymbolicTensor[];
}

/** An operand of an operator: a symbolic tensor, a constant, or a list of them. */
export type OperandValue = tfl.SymbolicTensor | OperandTemplate | OperandValue[];

/** A call of a layer, its arguments by name. */
export interface LayerCall {
  /** The layer in the file. */
  readonly source: GraphLayer;
  /** Arguments by Python's names; those not given are missing. */
  readonly values: Readonly<Record<string, CallValue>>;
  /** Options, converted. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Context of the build. */
  readonly context: BuildContext;
}

/** What becomes of a mask in a layer. */
export type MaskRule = 'kept' | 'dropped' | 'shared';

/** A class of Keras. */
export interface LayerEntry {
  /** Arguments of its call, in the order of Python. */
  readonly call: Readonly<Record<string, ArgumentKind>>;
  /** Its options. */
  readonly options: OptionRules;
  /** Activations that the layer has itself; others become an operator behind it. Default: it takes none. */
  readonly activations?: 'ours' | 'tfjs' | 'either';
  /**
   * What else is not supported.
   *
   * @param config Its configuration as in the file.
   * @param version Version of Keras.
   * @returns Problems, as texts; none when all is well.
   */
  problems?(config: Json, version: KerasVersion): string[];
  /** Makes the layer; left out, it is an operator and has none. */
  make?(options: Readonly<Record<string, unknown>>, call: LayerCall): tfl.layers.Layer;
  /** Puts a call of the layer into the graph; by default, `apply` of the first argument. */
  apply?(layer: tfl.layers.Layer | null, call: LayerCall): Flow[];
  /**
   * What becomes of the mask of the first argument where `apply` is left out. `shared`: the output is the input itself, except
   * in training, and one mask is beside both. Default `dropped`.
   */
  readonly mask?: MaskRule;
  /** Whether it is a class of the user, which is given all its options and all tensors. */
  readonly isCustom?: boolean;
  /** Name of the class in Python, where it is another than the file's. */
  readonly pythonClass?: string;
  /**
   * Where Python keeps the weights: paths below the layer's own. By default they follow from their names and `parts`.
   *
   * @param names Names of the weights of our layer, in its order, without that of the layer.
   * @returns As many paths.
   */
  weightPaths?(names: readonly string[]): string[];
  /** Attributes in which Python keeps parts, by the names that parts have in ours: `query` → `query_dense`. */
  readonly parts?: Readonly<Record<string, string>>;
}

/**
 * A tensor that has one mask with another.
 *
 * @param tensor The tensor.
 * @param other The other.
 * @returns The tensor; its mask is gone when the other's is.
 */
export function sharing(tensor: tfl.SymbolicTensor, other: Flow): Flow {
  return {
    tensor,
    get mask() {
      return other.mask;
    },
    set mask(mask) {
      other.mask = mask;
    },
  };
}

/**
 * Whether an argument is a tensor.
 *
 * @param value An argument.
 * @returns Whether it is.
 */
export function isFlow(value: CallValue | undefined): value is Flow {
  return typeof value === 'object' && value !== null && 'tensor' in value && 'mask' in value;
}

/**
 * An argument that is a tensor.
 *
 * @param call The call.
 * @param name Name of the argument.
 * @returns The tensor, or null when it was not given.
 */
export function flowAt(call: LayerCall, name: string): Flow | null {
  const value = call.values[name] as CallValue | undefined;
  return isFlow(value) ? value : null;
}

/**
 * The first argument, which is a tensor.
 *
 * @param call The call.
 * @param name Its name.
 * @returns The tensor.
 */
export function required(call: LayerCall, name: string): Flow {
  return call.values[name] as Flow;
}

/**
 * An argument that is true or false.
 *
 * @param call The call.
 * @param name Its name.
 * @param fallback When it was not given.
 * @returns Its value.
 */
export function flagAt(call: LayerCall, name: string, fallback = false): boolean {
  return Boolean(call.values[name] ?? fallback);
}
