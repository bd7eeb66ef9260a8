/** What layers put into a graph beside themselves: operators, and masks as tensors. */
import * as tfl from '@tensorflow/tfjs-layers';
import { Operator, SharedCall, type OperandTemplate } from '../../layers/index.js';
import { assert } from '../../util/errors.js';
import type { KerasVersion } from './keras_version.js';
import type { BuildContext, OperandValue } from './layer_entry.js';
import { keyOf, type Mask, type MaskLeaf } from './masks.js';

type Tensor = tfl.SymbolicTensor;

/** Names and masks of one graph. */
export class GraphContext implements BuildContext {
  private readonly masks = new Map<string, Tensor>();
  /** How layers were called first, and what they gave. */
  private readonly ways = new Map<tfl.layers.Layer, { way: string; output: Tensor }>();
  /** Tensors of the graph that masks were made of. */
  readonly used = new Set<Tensor>();

  /**
   * @param version Version of Keras.
   * @param names Names that are taken.
   * @param reserved Those of the file's operators, each for its own.
   * @param created Gets every layer that is made, so that it can be disposed of.
   */
  constructor(
    readonly version: KerasVersion,
    private readonly names: Set<string>,
    private readonly reserved: Set<string>,
    private readonly created: tfl.layers.Layer[],
  ) {}

  /**
   * A name that nothing has yet.
   *
   * @param wanted The name that it should be.
   * @returns That name, or it with a number.
   */
  uniqueName(wanted: string): string {
    if (this.reserved.delete(wanted)) return wanted;
    let name = wanted;
    for (let i = 1; this.names.has(name); i++) name = `${wanted}_${i}`;
    this.names.add(name);
    return name;
  }

  operator(wanted: string, op: string, values: readonly OperandValue[]): Tensor[] {
    const inputs: Tensor[] = [];
    // A tensor that occurs twice is fed once: fed twice, TensorFlow.js disposes of it too early.
    const template = (value: OperandValue): OperandTemplate => {
      if (Array.isArray(value)) return value.map(template);
      if (!(value instanceof tfl.SymbolicTensor)) return value;
      if (!inputs.includes(value)) inputs.push(value);
      return { input: inputs.indexOf(value) };
    };
    const operands = values.map(template);
    assert(inputs.length > 0, () => `${wanted}: an operator of constants only is not supported.`);
    const layer = new Operator({ name: this.uniqueName(wanted), op, operands });
    this.created.push(layer);
    return [layer.apply(inputs.length === 1 ? inputs[0] : inputs)].flat() as Tensor[];
  }

  callNamed(
    layer: tfl.layers.Layer,
    [first, tensor]: readonly [string, Tensor],
    named: Readonly<Record<string, Tensor>>,
    flags: Readonly<Record<string, boolean>> = {},
  ): Tensor[] {
    const all: [string, Tensor][] = [[first, tensor], ...Object.entries(named)];
    const distinct = [...new Set(all.map(([, one]) => one))];
    const way = JSON.stringify([all.map(([name, one]) => [name, distinct.indexOf(one)]), flags]);
    const before = this.ways.get(layer);
    if (!before || before.way === way) {
      const outputs = [layer.apply(tensor, { ...named, ...flags })].flat() as Tensor[];
      if (!before) this.ways.set(layer, { way, output: outputs[0] });
      return outputs;
    }
    assert(
      !flags.returnAttentionScores,
      () =>
        `${layer.name}: called in several ways, it cannot return scores. Make a second layer in Python.`,
    );
    const inputs = [...new Set([...distinct, before.output])];
    const roles = inputs.map((input) => [
      ...all.filter(([, one]) => one === input).map(([name]) => name),
      ...(input === before.output ? ['layer'] : []),
    ]);
    const name = this.uniqueName(`${layer.name}_call`);
    const call = new SharedCall({ name, inputs: roles.map((one) => one.join('+')), flags });
    this.created.push(call);
    return [call.apply(inputs.length === 1 ? inputs[0] : inputs)].flat() as Tensor[];
  }

  maskTensor(mask: Mask): Tensor {
    const key = keyOf(mask);
    const known = this.masks.get(key);
    if (known) return known;
    const made = this.made(mask);
    this.masks.set(key, made);
    return made;
  }

  private made(mask: Mask): Tensor {
    const one = (name: string, op: string, values: readonly OperandValue[]): Tensor =>
      this.operator(name, op, values)[0];
    assert(
      mask.kind !== 'unreachable',
      () =>
        `the mask that is made inside the nested model '${(mask as { model: string }).model}' is used outside of it, ` +
        'which is not supported. Let the nested model take the ids that the mask is made from, or return the mask.',
    );
    if (mask.kind === 'or' || mask.kind === 'and') {
      const op = mask.kind === 'or' ? 'logicalOr' : 'logicalAnd';
      const parts = mask.parts.map((part) => this.maskTensor(part));
      return parts.reduce((a, b) => one(`${a.sourceLayer.name}_${mask.kind}`, op, [a, b]));
    }
    if (mask.kind === 'joined') {
      const parts = mask.parts.map((part) => this.maskTensor(part));
      return one(`${parts[0].sourceLayer.name}_joined`, 'concatenate', [parts, mask.axis]);
    }
    const { of, kind } = mask as MaskLeaf;
    this.used.add(of);
    if (kind === 'tensor') return of;
    const name = `${of.sourceLayer.name}_mask`;
    const features = of.shape.map((_, axis) => axis).slice(2);
    if (kind === 'ids')
      return one(name, 'notEqual', [of, (mask as MaskLeaf & { value: number }).value]);
    if (kind === 'features') {
      return one(name, 'any', [
        one(`${name}_features`, 'notEqual', [of, (mask as MaskLeaf & { value: number }).value]),
        -1,
      ]);
    }
    const ones = one(`${name}_ones`, 'onesLike', [of]);
    const flags = one(`${name}_all`, 'notEqual', [ones, 0]);
    return features.length > 0 ? one(name, 'any', [flags, features]) : flags;
  }
}
