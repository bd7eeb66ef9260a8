import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { activation, assertActivation, type ActivationName } from '../ops/activation.js';
import { assert, describe } from '../util/errors.js';
import { shapeText, sizeOf } from '../util/shapes.js';
import type { LayerArgs } from './composite_layer.js';
import { knowingOptions, onlyShape, SingleInputLayer } from './single_input_layer.js';
import { contract } from './contraction.js';
import { camelCase } from './transformer_block.js';
import {
  initializer,
  matrixInitializer,
  regularizer,
  serialized,
  type Identifier,
  type Initializer,
  type Regularizer,
} from './weight_options.js';

/** Options of `einsumDense`, as in Keras. */
export interface EinsumDenseArgs extends LayerArgs {
  /** For example `abc,cd->abd`, or `...x,xy->...y`; letters, at most 26 of them. */
  equation: string;
  /** Sizes of the output behind the batch axis, null where they follow from the input; with `...` those behind it. */
  outputShape: number | (number | null)[];
  /** Default `linear`. */
  activation?: ActivationName;
  /** Letters of the output axes that the bias has. Default null: no bias. */
  biasAxes?: string | null;
  /** Default `glorotUniform`. */
  kernelInitializer?: Identifier<Initializer>;
  /** Default `zeros`. */
  biasInitializer?: Identifier<Initializer>;
  /** Default none. */
  kernelRegularizer?: Identifier<Regularizer> | null;
  /** Default none. */
  biasRegularizer?: Identifier<Regularizer> | null;
}

/** The axes of an equation for an input of a rank, by name. */
interface Axes {
  input: string[];
  kernel: string[];
  output: string[];
}

/**
 * y = activation(einsum(equation, x, kernel) + bias) (Keras' `EinsumDense`).
 *
 * TensorFlow.js' own einsum has no gradient; this one is a product of matrices. Weights: `kernel`, `bias` with `biasAxes`.
 */
export class EinsumDense extends SingleInputLayer {
  /** Name under which saved models find the class. */
  static readonly className = 'EinsumDense';

  private readonly equation: string;
  private readonly sizes: (number | null)[];
  private readonly activation: ActivationName;
  private readonly biasAxes: string | null;
  private readonly kernelInitializer: Initializer;
  private readonly biasInitializer: Initializer;
  private readonly kernelRegularizer: Regularizer | null;
  private readonly biasRegularizer: Regularizer | null;
  private kernel: tfl.LayerVariable | null = null;
  private bias: tfl.LayerVariable | null = null;

  /** @param args See `EinsumDenseArgs`. */
  constructor(args: EinsumDenseArgs) {
    super(args);
    const where = 'EinsumDense';
    this.supportsMasking = false; // as in Keras
    const { equation, biasAxes } = lowerCase(args.equation, args.biasAxes ?? null);
    this.equation = equation;
    this.biasAxes = biasAxes;
    this.sizes = [args.outputShape].flat();
    this.activation = assertActivation(where, args.activation ?? 'linear');
    this.kernelInitializer = initializer(where, args.kernelInitializer ?? 'glorotUniform');
    this.biasInitializer = initializer(where, args.biasInitializer ?? 'zeros');
    this.kernelRegularizer = regularizer(where, args.kernelRegularizer);
    this.biasRegularizer = regularizer(where, args.biasRegularizer);
  }

  /** Axes by name: letters, and numbers for those that `...` stands for. */
  private axes(rank: number): Axes {
    const [inputs, output] = this.equation.split('->');
    const [input, kernel] = inputs.split(',');
    const free = rank - input.replace('...', '').length;
    assert(
      input.includes('...') ? free >= 0 : free === 0,
      () =>
        `${this.name}: equation ${this.equation} needs an input of another rank, got rank ${rank}.`,
    );
    const named = (side: string): string[] =>
      side
        .split(/(\.\.\.)/)
        .flatMap((part) =>
          part === '...' ? Array.from({ length: free }, (_, i) => String(i)) : Array.from(part),
        );
    return { input: named(input), kernel: Array.from(kernel), output: named(output) };
  }

  /** Size of each axis of an input and of the output. */
  private sizesOf(shape: tfl.Shape, { input, output }: Axes): Map<string, number | null> {
    const sizes = new Map(input.map((axis, i) => [axis, shape[i]]));
    // Sizes given for the output are those of its last axes, or with `...` at its end of those behind the first.
    const first = this.equation.endsWith('...') ? 1 : output.length - this.sizes.length;
    this.sizes.forEach((size, i) => {
      const axis = output[first + i] as string | undefined;
      assert(
        axis !== undefined,
        () => `${this.name}: outputShape has more sizes than ${this.equation} has output axes.`,
      );
      const known = sizes.get(axis) ?? null;
      assert(
        known === null || size === null || known === size,
        () =>
          `${this.name}: outputShape must agree with the input, got outputShape=${shapeText(this.sizes)}, ` +
          `input=${shapeText(shape)}.`,
      );
      sizes.set(axis, known ?? size);
    });
    return sizes;
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const shape = onlyShape(inputShape);
    const axes = this.axes(shape.length);
    const sizes = this.sizesOf(shape, axes);
    const known = (axis: string): number => {
      const size = sizes.get(axis);
      assert(
        typeof size === 'number',
        () =>
          `${this.name}: the size of axis ${axis} must be known, got input=${shapeText(shape)}.`,
      );
      return size;
    };
    const kernelShape = axes.kernel.map(known);
    const fanIn = sizeOf(axes.kernel.filter((axis) => axes.input.includes(axis)).map(known));
    this.kernel = this.addWeight(
      'kernel',
      kernelShape,
      'float32',
      matrixInitializer(this.kernelInitializer, fanIn, sizeOf(kernelShape) / fanIn),
      this.kernelRegularizer ?? undefined,
    );
    if (this.biasAxes) {
      const first = axes.output.findIndex((axis) => this.biasAxes!.includes(axis));
      const biasShape = axes.output
        .slice(first)
        .map((axis) => (this.biasAxes!.includes(axis) ? known(axis) : 1));
      this.bias = this.addWeight(
        'bias',
        biasShape,
        'float32',
        this.biasInitializer,
        this.biasRegularizer ?? undefined,
      );
    }
    super.build(inputShape);
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const kernel = this.kernel!.read();
    const axes = this.axes(x.rank);
    const y = contract(x, axes.input, kernel, axes.kernel, axes.output);
    const biased = this.bias ? tf.add(y, this.bias.read()) : y;
    return this.activation === 'linear' ? biased : activation(biased, this.activation);
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const shape = onlyShape(inputShape);
    const axes = this.axes(shape.length);
    const sizes = this.sizesOf(shape, axes);
    return axes.output.map((axis) => sizes.get(axis) ?? null);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {
      ...super.getConfig(),
      equation: this.equation,
      outputShape: this.sizes,
      activation: camelCase(this.activation),
      biasAxes: this.biasAxes,
      kernelInitializer: serialized(this.kernelInitializer),
      biasInitializer: serialized(this.biasInitializer),
      kernelRegularizer: serialized(this.kernelRegularizer),
      biasRegularizer: serialized(this.biasRegularizer),
    };
  }
}
tf.serialization.registerClass(EinsumDense);

/** The same equation in small letters: capital ones do not survive how TensorFlow.js saves strings. */
function lowerCase(
  equation: string,
  biasAxes: string | null,
): { equation: string; biasAxes: string | null } {
  const form = /^([A-Za-z]*(\.\.\.)?[A-Za-z]*),([A-Za-z]+)->([A-Za-z]*(\.\.\.)?[A-Za-z]*)$/;
  const plain = equation.replace(/\s/g, '');
  const letters = [...new Set(plain.replace(/[^A-Za-z]/g, ''))];
  const parts = form.exec(plain);
  const distinct = (side: string): boolean => new Set(side).size === side.length;
  assert(
    parts !== null &&
      letters.length <= 26 &&
      Boolean(parts[2]) === Boolean(parts[5]) &&
      [parts[1], parts[3], parts[4]].every((side) => distinct(side.replace('...', ''))) &&
      Array.from(parts[4].replace('...', '')).every((axis) => (parts[1] + parts[3]).includes(axis)),
    () => `EinsumDense: equation must be of the form 'abc,cd->abd', got ${describe(equation)}.`,
  );
  const small = /[A-Z]/.test(plain)
    ? (axis: string): string => String.fromCharCode(97 + letters.indexOf(axis))
    : (axis: string): string => axis;
  return {
    equation: plain.replace(/[A-Za-z]/g, small),
    biasAxes: biasAxes === null || biasAxes === '' ? null : biasAxes.replace(/[A-Za-z]/g, small),
  };
}

/**
 * Makes an `EinsumDense` layer.
 *
 * @param args See `EinsumDenseArgs`.
 * @returns The layer.
 */
export function einsumDense(args: EinsumDenseArgs): EinsumDense {
  return knowingOptions(new EinsumDense(args), args);
}
