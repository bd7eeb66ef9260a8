import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { activation, assertActivation, type ActivationName } from '../ops/activation.js';
import { linear } from '../ops/linear.js';
import { assert, assertInteger } from '../util/errors.js';
import type { LayerArgs } from './composite_layer.js';
import { camelCase } from './transformer_block.js';
import { knowingOptions, onlyShape } from './single_input_layer.js';
import {
  initializer,
  regularizer,
  serialized,
  type Identifier,
  type Initializer,
  type Regularizer,
} from './weight_options.js';

/** Options of `gruCell`. */
export interface GRUCellArgs extends LayerArgs {
  /** U, width of the state. */
  units: number;
  /** Default `tanh`. */
  activation?: ActivationName;
  /** Of the gates. Default `sigmoid`. */
  recurrentActivation?: ActivationName;
  /** Whether there are biases. Default true. */
  useBias?: boolean;
  /** Default `glorotUniform`. */
  kernelInitializer?: Identifier<Initializer>;
  /** Default `orthogonal`. */
  recurrentInitializer?: Identifier<Initializer>;
  /** Default `zeros`. */
  biasInitializer?: Identifier<Initializer>;
  /** Default none. */
  kernelRegularizer?: Identifier<Regularizer> | null;
  /** Default none. */
  recurrentRegularizer?: Identifier<Regularizer> | null;
  /** Default none. */
  biasRegularizer?: Identifier<Regularizer> | null;
}

/**
 * A gated recurrent unit that resets after the product (Keras' GRU with `reset_after=True`, its default, which
 * TensorFlow.js does not have): the cell of `tf.layers.rnn({ cell: gruCell({ units }) })`.
 *
 *     z = σ(xWᶻ + hUᶻ)    r = σ(xWʳ + hUʳ)    g = tanh(xWᵍ + r ∘ (hUᵍ))    h = z ∘ h + (1 − z) ∘ g        with biases
 *
 * Weights: `kernel` [D, 3U], `recurrent_kernel` [U, 3U], `bias` [2, 3U].
 */
export class GRUCell extends tfl.layers.Layer {
  /** Name under which saved models find the class; TensorFlow.js has its own GRUCell. */
  static readonly className = 'ResetAfterGRUCell';

  /** U, as `tf.layers.rnn` wants to know it. */
  readonly stateSize: number;
  private readonly activation: ActivationName;
  private readonly recurrentActivation: ActivationName;
  private readonly useBias: boolean;
  private readonly kernelInitializer: Initializer;
  private readonly recurrentInitializer: Initializer;
  private readonly biasInitializer: Initializer;
  private readonly kernelRegularizer: Regularizer | null;
  private readonly recurrentRegularizer: Regularizer | null;
  private readonly biasRegularizer: Regularizer | null;
  private kernel!: tfl.LayerVariable;
  private recurrentKernel!: tfl.LayerVariable;
  private bias: tfl.LayerVariable | null = null;

  /** @param args See `GRUCellArgs`. */
  constructor(args: GRUCellArgs) {
    super(args);
    const where = 'GRUCell';
    this.stateSize = assertInteger(where, 'units', args.units);
    this.activation = assertActivation(where, args.activation ?? 'tanh');
    this.recurrentActivation = assertActivation(where, args.recurrentActivation ?? 'sigmoid');
    this.useBias = args.useBias ?? true;
    this.kernelInitializer = initializer(where, args.kernelInitializer ?? 'glorotUniform');
    this.recurrentInitializer = initializer(where, args.recurrentInitializer ?? 'orthogonal');
    this.biasInitializer = initializer(where, args.biasInitializer ?? 'zeros');
    this.kernelRegularizer = regularizer(where, args.kernelRegularizer);
    this.recurrentRegularizer = regularizer(where, args.recurrentRegularizer);
    this.biasRegularizer = regularizer(where, args.biasRegularizer);
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const shape = onlyShape(inputShape);
    const D = shape[shape.length - 1];
    const U = this.stateSize;
    assert(typeof D === 'number', () => `${this.name}: the width of the input must be known.`);
    const add = (
      name: string,
      sizes: number[],
      initial: Initializer,
      penalty: Regularizer | null,
    ): tfl.LayerVariable => this.addWeight(name, sizes, 'float32', initial, penalty ?? undefined);
    this.kernel = add('kernel', [D, 3 * U], this.kernelInitializer, this.kernelRegularizer);
    this.recurrentKernel = add(
      'recurrent_kernel',
      [U, 3 * U],
      this.recurrentInitializer,
      this.recurrentRegularizer,
    );
    if (this.useBias) {
      this.bias = add('bias', [2, 3 * U], this.biasInitializer, this.biasRegularizer);
    }
    super.build(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
    return tf.tidy(() => {
      const [x, h] = inputs as tf.Tensor2D[];
      const biases = this.bias ? tf.unstack(this.bias.read()) : [null, null];
      const [xz, xr, xg] = tf.split(linear(x, this.kernel.read(), biases[0]), 3, 1);
      const [hz, hr, hg] = tf.split(linear(h, this.recurrentKernel.read(), biases[1]), 3, 1);
      const z = activation(tf.add(xz, hz), this.recurrentActivation);
      const r = activation(tf.add(xr, hr), this.recurrentActivation);
      const g = activation(tf.add(xg, tf.mul(r, hg)), this.activation);
      const state = tf.add(tf.mul(z, h), tf.mul(tf.sub(1, z), g));
      return [state, state];
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {
      ...super.getConfig(),
      units: this.stateSize,
      activation: camelCase(this.activation),
      recurrentActivation: camelCase(this.recurrentActivation),
      useBias: this.useBias,
      kernelInitializer: serialized(this.kernelInitializer),
      recurrentInitializer: serialized(this.recurrentInitializer),
      biasInitializer: serialized(this.biasInitializer),
      kernelRegularizer: serialized(this.kernelRegularizer),
      recurrentRegularizer: serialized(this.recurrentRegularizer),
      biasRegularizer: serialized(this.biasRegularizer),
    };
  }
}
tf.serialization.registerClass(GRUCell);

/**
 * Makes a `GRUCell`.
 *
 * @param args See `GRUCellArgs`.
 * @returns The cell.
 */
export function gruCell(args: GRUCellArgs): GRUCell {
  return knowingOptions(new GRUCell(args), args);
}
