import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { assertActivation, type ActivationName } from '../ops/activation.js';
import { linear } from '../ops/linear.js';
import { assert, assertInteger } from '../util/errors.js';
import { shapeText } from '../util/shapes.js';
import type { CallArguments } from './call_arguments.js';
import type { LayerArgs } from './composite_layer.js';
import { lastPosition } from './reversible_embedding.js';
import { knowingOptions, onlyShape, SingleInputLayer } from './single_input_layer.js';
import {
  initializer,
  regularizer,
  serialized,
  type Identifier,
  type Initializer,
  type Regularizer,
} from './weight_options.js';

/** Options of `dense`. */
export interface DenseArgs extends LayerArgs {
  /** E, width of the output. */
  units: number;
  /** Default `linear`. */
  activation?: ActivationName;
  /** Whether there is a bias. Default true. */
  useBias?: boolean;
  /** Default `glorotUniform`. */
  kernelInitializer?: Identifier<Initializer>;
  /** Default `zeros`. */
  biasInitializer?: Identifier<Initializer>;
  /** Default none. */
  kernelRegularizer?: Identifier<Regularizer> | null;
  /** Default none. */
  biasRegularizer?: Identifier<Regularizer> | null;
  /** Honour the call argument of this name, as the output layer of a language model does. Default false. */
  lastPositionOnly?: boolean;
}

/**
 * The affine map of the last axis: y = activation(x·kernel + bias) (Keras' `Dense`).
 *
 * Beside `tf.layers.dense` for two reasons: its gradients are products that are fast on the wasm backend, and its
 * activations are those of transformers (`geluApproximate`, `silu`, …), under names that survive saving.
 *
 * x [..., D] → [..., E]. Weights: `kernel` [D, E], `bias` [E].
 */
export class Dense extends SingleInputLayer {
  /** Name under which saved models find the class; TensorFlow.js has its own Dense. */
  static readonly className = 'FusedDense';

  private readonly units: number;
  private readonly activation: ActivationName;
  private readonly useBias: boolean;
  private readonly kernelInitializer: Initializer;
  private readonly biasInitializer: Initializer;
  private readonly kernelRegularizer: Regularizer | null;
  private readonly biasRegularizer: Regularizer | null;
  private readonly lastPositionOnly: boolean;
  private kernel: tfl.LayerVariable | null = null;
  private bias: tfl.LayerVariable | null = null;

  /** @param args See `DenseArgs`. */
  constructor(args: DenseArgs) {
    super(args);
    const where = 'Dense';
    this.units = assertInteger(where, 'units', args.units);
    this.activation = assertActivation(where, args.activation ?? 'linear');
    this.useBias = args.useBias ?? true;
    this.kernelInitializer = initializer(where, args.kernelInitializer ?? 'glorotUniform');
    this.biasInitializer = initializer(where, args.biasInitializer ?? 'zeros');
    this.kernelRegularizer = regularizer(where, args.kernelRegularizer);
    this.biasRegularizer = regularizer(where, args.biasRegularizer);
    this.lastPositionOnly = args.lastPositionOnly ?? false;
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const shape = onlyShape(inputShape);
    const D = shape[shape.length - 1];
    assert(
      typeof D === 'number',
      () =>
        `${this.name}: the last axis of the input must be known, got input=${shapeText(shape)}.`,
    );
    this.kernel = this.addWeight(
      'kernel',
      [D, this.units],
      'float32',
      this.kernelInitializer,
      this.kernelRegularizer ?? undefined,
    );
    if (this.useBias) {
      this.bias = this.addWeight(
        'bias',
        [this.units],
        'float32',
        this.biasInitializer,
        this.biasRegularizer ?? undefined,
      );
    }
    super.build(inputShape);
  }

  protected override compute(x: tf.Tensor, kwargs: CallArguments): tf.Tensor {
    const rows = this.lastPositionOnly && kwargs.lastPositionOnly ? lastPosition(x) : x;
    return linear(rows, this.kernel!.read(), this.bias?.read(), { activation: this.activation });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return [...onlyShape(inputShape).slice(0, -1), this.units];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {
      ...super.getConfig(),
      units: this.units,
      // Saving makes strings snake case and loading makes them camel case: only camel case comes back as it was.
      activation: this.activation.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      useBias: this.useBias,
      kernelInitializer: serialized(this.kernelInitializer),
      biasInitializer: serialized(this.biasInitializer),
      kernelRegularizer: serialized(this.kernelRegularizer),
      biasRegularizer: serialized(this.biasRegularizer),
      lastPositionOnly: this.lastPositionOnly,
    };
  }
}
tf.serialization.registerClass(Dense);

/**
 * Makes a `Dense` layer.
 *
 * @param args See `DenseArgs`.
 * @returns The layer.
 */
export function dense(args: DenseArgs): Dense {
  return knowingOptions(new Dense(args), args);
}
