/**
 * The base class of layers that take several named tensors: query, value, key, masks, positions.
 *
 * TensorFlow.js hands a layer inside `tf.model` a bare list of tensors and drops call arguments in `predict` and `fit`.
 * So every tensor argument can be a positional input, named by the constructor option `inputs`, and every flag can be
 * a constructor option. What a symbolic call passes by name is turned into that form, so that it is not lost:
 *
 *     layer.apply(x, {attentionMask: mask, useCausalMask: true})   // symbolic x and mask
 *
 * records `inputs: ['query', 'attentionMask']` and `useCausalMask: true` in the layer's configuration.
 *
 * One tensor that plays several parts is fed once (fed twice, a residual around the layer crashes `predict`); its
 * input is then named by all of them, joined by `+`.
 *
 * A mask that TensorFlow.js keeps beside an input (`tf.layers.embedding({maskZero: true})`) becomes an argument too,
 * unless one is given: see derived_mask.ts.
 */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { assert, describe } from '../util/errors.js';
import type { CallArguments } from './call_arguments.js';
import { CompositeLayer, type LayerArgs } from './composite_layer.js';
import { derivedMask } from './derived_mask.js';
import { forgetMask, handedOnMask, maskBeside } from './handed_on_mask.js';

/** What a layer can be called with. */
export interface Signature {
  /** Tensor arguments; a bare list of inputs fills them from the first on. */
  tensors: readonly string[];
  /** How many of them a bare list of inputs may fill. */
  positional: number;
  /** Boolean arguments. */
  flags: readonly string[];
  /** Flags that are true unless they are given. */
  trueByDefault?: readonly string[];
  /** Other names of tensor arguments, and what they mean here. */
  aliases?: Readonly<Record<string, string>>;
  /** Whether the value has to be given, also where it is the query. */
  needsValue?: boolean;
  /** What becomes of the mask that an input carries. */
  carriedMasks?: readonly CarriedMask[];
}

/** The mask that tensor `of` carries becomes argument `as`, unless one of `unless` is given. */
export interface CarriedMask {
  /** A tensor argument, or those of which the first that is given counts. */
  of: readonly string[];
  /** The argument that the mask becomes. */
  as: string;
  /** Arguments that win over it. */
  unless: readonly string[];
}

/** Constructor options that all such layers share. */
export interface ArgumentLayerArgs extends LayerArgs {
  /** What each positional input is, for use inside `tf.model`; the layer's own order by default. */
  inputs?: string[];
}

/** Options of calls, which a configuration leaves out while they are not used. */
export const CALL_OPTIONS = ['inputs', 'useCausalMask', 'returnAttentionScores'];

type OneOrMany<T> = T | T[];

/** A layer with named tensor arguments. */
export abstract class ArgumentLayer extends CompositeLayer {
  /** What each positional input is; null while the default order holds. */
  private inputNames: string[] | null;
  private readonly flags: Record<string, boolean> = {};
  private readonly constructorFlags: Record<string, boolean>;
  /** Of the last call. */
  private numOutputs = 1;
  /** Set while `apply` runs, read by `build`, `computeOutputShape` and `call`. */
  private currentNames: string[] | null = null;

  protected constructor(args: ArgumentLayerArgs) {
    super(args);
    this.supportsMasking = true; // what `computeMask` hands on, layers of TensorFlow.js can use
    const { tensors, flags, trueByDefault = [] } = this.signature();
    const known = new Set(tensors);
    const inputs = args.inputs?.map((input) => this.canonical(input)) ?? null;
    for (const name of (inputs ?? []).flatMap((input) => input.split('+'))) {
      assert(
        known.has(name),
        () => `${this.getClassName()}: inputs must be of ${tensors.join(', ')}, got '${name}'.`,
      );
    }
    assert(
      !inputs || inputs[0]?.split('+')[0] === tensors[0],
      () =>
        `${this.getClassName()}: the first of inputs must be '${tensors[0]}', got ${describe(args.inputs)}.`,
    );
    this.inputNames = inputs;
    for (const flag of flags) {
      const given = (args as Record<string, unknown>)[flag];
      this.flags[flag] = Boolean(given ?? trueByDefault.includes(flag));
    }
    this.constructorFlags = { ...this.flags };
  }

  /** What the layer can be called with. */
  protected abstract signature(): Signature;

  /** Creates the weights from the shapes of the tensor arguments. */
  protected abstract buildFrom(shapes: Record<string, tfl.Shape>): void;

  /** Output shape from the shapes of the tensor arguments. */
  protected abstract outputShapeFrom(shapes: Record<string, tfl.Shape>): OneOrMany<tfl.Shape>;

  /** The computation; runs in a tidy. */
  protected abstract compute(
    tensors: Record<string, tf.Tensor>,
    kwargs: CallArguments,
  ): OneOrMany<tf.Tensor>;

  /** Whether the output, step by step, stands for the first input, so that its mask goes on with it. */
  get handsOnMask(): boolean {
    return true;
  }

  /** A flag: what the call says, else what the constructor said. */
  protected flag(name: string, kwargs: CallArguments = {}): boolean {
    return Boolean(kwargs[name] ?? this.flags[name]);
  }

  /**
   * Calls the layer.
   *
   * @param inputs One tensor or a list, symbolic or not.
   * @param kwargs Further tensors and flags by name.
   * @returns The output or outputs.
   */
  override apply(
    inputs: OneOrMany<tf.Tensor> | OneOrMany<tfl.SymbolicTensor>,
    kwargs: CallArguments = {},
  ): OneOrMany<tf.Tensor> | OneOrMany<tfl.SymbolicTensor> {
    const list = Array.isArray(inputs) ? [...inputs] : [inputs];
    const names = this.namesOf(list.length);
    const symbolic = list[0] instanceof tfl.SymbolicTensor;
    const { tensors, aliases = {} } = this.signature();
    for (const given of [...tensors, ...Object.keys(aliases)]) {
      const value = kwargs[given];
      const name = aliases[given] ?? given;
      if (value === undefined || value === null) continue;
      if (names.some((known) => known.split('+').includes(name))) {
        // Call arguments of a model reach every layer in it; there, what the graph feeds is what counts.
        assert(
          this.inboundNodes.length > 0,
          () => `${this.name}: ${name} is given twice, as an input and by name.`,
        );
        continue;
      }
      assert(
        value instanceof tfl.SymbolicTensor === symbolic,
        () =>
          `${this.name}: ${name} must be ${symbolic ? 'symbolic, as the input is' : 'a tensor, as the input is'}. ` +
          'Inside tf.model give it as an input of the model.',
      );
      list.push(value as tf.Tensor);
      names.push(name);
    }
    if (symbolic) {
      this.addMasks(list as tfl.SymbolicTensor[], names, kwargs, (x) => this.maskOf(x));
      return this.applySymbolic(list as tfl.SymbolicTensor[], names, kwargs);
    }
    this.addMasks(list as tf.Tensor[], names, kwargs, maskBeside);
    return this.applyNamed(list as tf.Tensor[], names, kwargs);
  }

  /** Adds the masks that inputs carry to the arguments. */
  private addMasks<T extends tf.Tensor | tfl.SymbolicTensor>(
    list: T[],
    names: string[],
    kwargs: CallArguments,
    maskOf: (x: T) => T | undefined,
  ): void {
    const given = names.flatMap((name) => name.split('+'));
    const at = (name: string): number => names.findIndex((n) => n.split('+').includes(name));
    const added: [string, T][] = [];
    for (const { of, as, unless } of this.signature().carriedMasks ?? []) {
      const source = of.find((name) => given.includes(name));
      const explicit = [as, ...unless].some(
        (name) => given.includes(name) || (kwargs[name] ?? null) !== null,
      );
      const mask = source === undefined || explicit ? undefined : maskOf(list[at(source)]);
      if (mask) added.push([as, mask]);
    }
    for (const [name, mask] of added) {
      list.push(mask);
      names.push(name);
    }
  }

  /** The mask that a symbolic input carries. */
  private maskOf(x: tfl.SymbolicTensor): tfl.SymbolicTensor | undefined {
    const derived = derivedMask(x);
    if (derived && !derived.mask) {
      tf.backend_util.warn(
        `${this.name}: the mask that layer '${derived.layer}' makes cannot be used here. ` +
          'Pass the mask by name, for example { paddingMask: layers.paddingMask().apply(tokenIds) }, or leave maskZero out.',
      );
    }
    return derived?.mask ?? undefined;
  }

  /** An input's name with other names replaced by ours. */
  private canonical(input: string): string {
    const { aliases = {} } = this.signature();
    return input
      .split('+')
      .map((name) => aliases[name] ?? name)
      .join('+');
  }

  private applyNamed<T extends tf.Tensor | tfl.SymbolicTensor>(
    list: T[],
    names: string[],
    kwargs: CallArguments,
  ): OneOrMany<T> {
    this.currentNames = names;
    try {
      return super.apply((list.length === 1 ? list[0] : list) as tf.Tensor, kwargs) as T;
    } finally {
      this.currentNames = null;
    }
  }

  /** Records names and flags, feeds every tensor once. */
  private applySymbolic(
    list: tfl.SymbolicTensor[],
    names: string[],
    kwargs: CallArguments,
  ): OneOrMany<tfl.SymbolicTensor> {
    const { tensors, positional, flags, aliases = {}, needsValue = false } = this.signature();
    for (const flag of flags) {
      const value = Boolean(kwargs[flag] ?? this.constructorFlags[flag]);
      assert(
        this.inboundNodes.length === 0 || this.flags[flag] === value,
        () =>
          `${this.name}: ${flag} cannot differ between two calls in a graph, got ${this.flags[flag]}, then ${value}. ` +
          'Make a second layer.',
      );
      this.flags[flag] = value;
    }
    const distinct = [...new Set(list)];
    // A value that is the query, and a key that is the value, are what the defaults say: no need to name them.
    const partsOf = (tensor: tfl.SymbolicTensor): string[] =>
      names.filter((_, i) => list[i] === tensor).flatMap((name) => name.split('+'));
    const merged = distinct.map((tensor) => {
      const parts = partsOf(tensor);
      return (needsValue ? parts : dropDefaults(parts)).join('+');
    });
    const isDefault = merged.length <= positional && merged.every((name, i) => name === tensors[i]);
    const recorded = isDefault ? null : merged;
    assert(
      this.inboundNodes.length === 0 ||
        String(this.inputNames) === String(recorded) ||
        this.namesMatch(merged),
      () =>
        `${this.name}: called in a graph with inputs ${describe(this.inputNames ?? 'in default order')} before and ` +
        `${describe(merged)} now. Make a second layer.`,
    );
    this.inputNames = recorded;
    const recordedNames = [...tensors, ...Object.keys(aliases), ...flags];
    const constants = Object.fromEntries(
      Object.entries(kwargs).filter(([name]) => !recordedNames.includes(name)),
    );
    return this.applyNamed(distinct, merged, constants);
  }

  private namesMatch(merged: string[]): boolean {
    return this.inputNames !== null && this.inputNames.join() === merged.join();
  }

  /** Names of n positional inputs. */
  private namesOf(count: number): string[] {
    const { tensors, positional } = this.signature();
    if (this.inputNames?.length === count) return [...this.inputNames];
    // A sequential model that was loaded brings its one input only; the masks are found again by `addMasks`.
    const unmasked = this.inputNames?.filter((name) => !this.isCarriedMask(name)) ?? [];
    if (this.inboundNodes.length === 0 && unmasked.length === count) return unmasked;
    assert(
      this.inputNames === null || this.inboundNodes.length > 0,
      () =>
        `${this.name}: takes ${this.inputNames!.length} inputs (${this.inputNames!.join(', ')}), got ${count}.`,
    );
    assert(
      count >= 1 && count <= positional,
      () =>
        `${this.name}: a list of inputs may hold ${tensors.slice(0, positional).join(', ')}, got ${count} tensors. ` +
        "Name them with the constructor option `inputs`, for example inputs: ['query', 'attentionMask'].",
    );
    return tensors.slice(0, count);
  }

  /** Whether an input is nothing but masks that other inputs carry. */
  private isCarriedMask(name: string): boolean {
    const masks = (this.signature().carriedMasks ?? []).map(({ as }) => as);
    return name.split('+').every((part) => masks.includes(part));
  }

  private byName<T>(values: T[]): Record<string, T> {
    const names = this.currentNames ?? this.namesOf(values.length);
    const named: Record<string, T> = {};
    names.forEach((joined, i) => {
      for (const name of joined.split('+')) named[name] = values[i];
    });
    return named;
  }

  override build(inputShape: OneOrMany<tfl.Shape>): void {
    this.buildFrom(this.byName(asShapes(inputShape)));
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: OneOrMany<tfl.Shape>): OneOrMany<tfl.Shape> {
    return this.outputShapeFrom(this.byName(asShapes(inputShape)));
  }

  override call(inputs: OneOrMany<tf.Tensor>, kwargs: CallArguments): OneOrMany<tf.Tensor> {
    return tf.tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const given = forgetMask(kwargs);
      const outputs = this.compute(this.byName(Array.isArray(inputs) ? inputs : [inputs]), given);
      this.numOutputs = Array.isArray(outputs) ? outputs.length : 1;
      return outputs;
    });
  }

  /**
   * The mask of the output: that of the first input. Layers of TensorFlow.js behind this one can use it; our own are
   * given their masks as tensors.
   */
  override computeMask(
    inputs: OneOrMany<tf.Tensor>,
    masks?: OneOrMany<tf.Tensor>,
  ): OneOrMany<tf.Tensor> {
    // null is how TensorFlow.js says "none"; its type leaves that out
    const mask = (this.handsOnMask ? handedOnMask(inputs, masks) : null) as tf.Tensor;
    if (masks !== undefined || this.numOutputs === 1) return mask;
    return Array.from({ length: this.numOutputs }, (_, i) =>
      i === 0 ? mask : null,
    ) as tf.Tensor[];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const config = super.getConfig();
    if (this.inputNames) config.inputs = [...this.inputNames];
    const { trueByDefault = [] } = this.signature();
    for (const [flag, value] of Object.entries(this.flags)) {
      if (value !== trueByDefault.includes(flag)) config[flag] = value;
    }
    return config;
  }
}

/** Leaves out parts that follow from the others: value = query, key = value. */
function dropDefaults(parts: string[]): string[] {
  return parts.filter(
    (part) =>
      !(part === 'value' && parts.includes('query')) &&
      !(part === 'key' && parts.includes('value')),
  );
}

function asShapes(shape: OneOrMany<tfl.Shape>): tfl.Shape[] {
  return (Array.isArray(shape[0]) ? shape : [shape]) as tfl.Shape[];
}
