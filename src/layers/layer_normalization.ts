import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { layerNorm } from '../ops/layer_norm.js';
import { assert, assertNumber } from '../util/errors.js';
import type { LayerArgs } from './composite_layer.js';
import { normalizedSizes } from './rms_normalization.js';
import { knowingOptions, onlyShape, SingleInputLayer } from './single_input_layer.js';
import {
  constraint,
  initializer,
  regularizer,
  serialized,
  type Constraint,
  type Identifier,
  type Initializer,
  type Regularizer,
} from './weight_options.js';

/** Options of `layerNormalization`, as in Keras. */
export interface LayerNormalizationArgs extends LayerArgs {
  /** Axis or axes to normalise over. Default −1. */
  axis?: number | number[];
  /** Added to the variance. Default 1e-3. */
  epsilon?: number;
  /** Whether β is added. Default true. */
  center?: boolean;
  /** Whether γ multiplies. Default true. */
  scale?: boolean;
  /** Default `zeros`. */
  betaInitializer?: Identifier<Initializer>;
  /** Default `ones`. */
  gammaInitializer?: Identifier<Initializer>;
  /** Default none. */
  betaRegularizer?: Identifier<Regularizer> | null;
  /** Default none. */
  gammaRegularizer?: Identifier<Regularizer> | null;
  /** Default none. TensorFlow.js applies constraints only in optimizers of its own. */
  betaConstraint?: Identifier<Constraint> | null;
  /** Default none. */
  gammaConstraint?: Identifier<Constraint> | null;
}

/**
 * Layer normalisation (Ba, Kiros & Hinton, 2016; Keras' `LayerNormalization`):
 *
 *     y = (x − mean(x)) / √(var(x) + ε) · γ + β
 *
 * TensorFlow.js' own layer tiles its statistics to the size of the input, forward and backward; this one does not.
 * The class has a name of its own, so that it does not take that layer's place in models saved with it.
 *
 * Input of any shape, output the same. Weights: `gamma`, `beta`, with the sizes of the axes.
 */
export class LayerNormalization extends SingleInputLayer {
  /** Name under which saved models find the class. */
  static readonly className = 'FusedLayerNormalization';

  private axis: number | number[];
  private readonly epsilon: number;
  private readonly center: boolean;
  private readonly scale: boolean;
  private readonly betaInitializer: Initializer;
  private readonly gammaInitializer: Initializer;
  private readonly betaRegularizer: Regularizer | null;
  private readonly gammaRegularizer: Regularizer | null;
  private readonly betaConstraint: Constraint | null;
  private readonly gammaConstraint: Constraint | null;
  private gamma: tfl.LayerVariable | null = null;
  private beta: tfl.LayerVariable | null = null;

  /** @param args See `LayerNormalizationArgs`. */
  constructor(args: LayerNormalizationArgs = {}) {
    super(args);
    const where = 'LayerNormalization';
    this.axis = args.axis ?? -1;
    this.epsilon = assertNumber(where, 'epsilon', args.epsilon ?? 1e-3, 0);
    this.center = args.center ?? true;
    this.scale = args.scale ?? true;
    this.betaInitializer = initializer(where, args.betaInitializer ?? 'zeros');
    this.gammaInitializer = initializer(where, args.gammaInitializer ?? 'ones');
    this.betaRegularizer = regularizer(where, args.betaRegularizer);
    this.gammaRegularizer = regularizer(where, args.gammaRegularizer);
    this.betaConstraint = constraint(where, args.betaConstraint);
    this.gammaConstraint = constraint(where, args.gammaConstraint);
    const { rmsScaling = false } = args as { rmsScaling?: boolean };
    assert(!rmsScaling, () => `${where}: rmsScaling is not supported. Use rmsNormalization.`);
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    this.axis = [this.axis].flat(); // as Keras' configuration has it after build
    const sizes = normalizedSizes(this.name, onlyShape(inputShape), this.axis);
    if (this.scale) {
      this.gamma = this.addWeight(
        'gamma',
        sizes,
        'float32',
        this.gammaInitializer,
        this.gammaRegularizer ?? undefined,
        true,
        this.gammaConstraint ?? undefined,
      );
    }
    if (this.center) {
      this.beta = this.addWeight(
        'beta',
        sizes,
        'float32',
        this.betaInitializer,
        this.betaRegularizer ?? undefined,
        true,
        this.betaConstraint ?? undefined,
      );
    }
    super.build(inputShape);
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const options = { axis: this.axis, epsilon: this.epsilon };
    return layerNorm(x, this.gamma?.read(), this.beta?.read(), options);
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return onlyShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {
      ...super.getConfig(),
      axis: this.axis,
      epsilon: this.epsilon,
      center: this.center,
      scale: this.scale,
      betaInitializer: serialized(this.betaInitializer),
      gammaInitializer: serialized(this.gammaInitializer),
      betaRegularizer: serialized(this.betaRegularizer),
      gammaRegularizer: serialized(this.gammaRegularizer),
      betaConstraint: serialized(this.betaConstraint),
      gammaConstraint: serialized(this.gammaConstraint),
    };
  }
}
tf.serialization.registerClass(LayerNormalization);

/**
 * Makes a `LayerNormalization` layer.
 *
 * @param args See `LayerNormalizationArgs`.
 * @returns The layer.
 */
export function layerNormalization(args: LayerNormalizationArgs = {}): LayerNormalization {
  return knowingOptions(new LayerNormalization(args), args);
}
