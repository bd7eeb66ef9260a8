import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { rmsNorm } from '../ops/rms_norm.js';
import { normalizeAxes } from '../util/axes.js';
import { assert, assertNumber } from '../util/errors.js';
import { shapeText } from '../util/shapes.js';
import type { LayerArgs } from './composite_layer.js';
import { knowingOptions, onlyShape, SingleInputLayer } from './single_input_layer.js';
import { initializer } from './weight_options.js';

/** Options of `rmsNormalization`, as in Keras. */
export interface RMSNormalizationArgs extends LayerArgs {
  /** Axis or axes to normalise over. Default −1. */
  axis?: number | number[];
  /** Added to the mean square. Default 1e-6. */
  epsilon?: number;
}

/**
 * Root-mean-square normalisation (Zhang & Sennrich, 2019; Keras' `RMSNormalization`):
 *
 *     y = x / √(mean(x²) + ε) · scale
 *
 * Input of any shape, output the same. Weight: `scale`, with the sizes of the axes, ones at first.
 */
export class RMSNormalization extends SingleInputLayer {
  /** Name under which saved models find the class. */
  static readonly className = 'RMSNormalization';

  private axis: number | number[];
  private readonly epsilon: number;
  private scale: tfl.LayerVariable | null = null;

  /** @param args See `RMSNormalizationArgs`. */
  constructor(args: RMSNormalizationArgs = {}) {
    super(args);
    this.axis = args.axis ?? -1;
    this.epsilon = assertNumber('RMSNormalization', 'epsilon', args.epsilon ?? 1e-6, 0);
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    this.axis = [this.axis].flat(); // as Keras' configuration has it after build
    const sizes = normalizedSizes(this.name, onlyShape(inputShape), this.axis);
    this.scale = this.addWeight('scale', sizes, 'float32', initializer(this.name, 'ones'));
    super.build(inputShape);
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    return rmsNorm(x, this.scale!.read(), { axis: this.axis, epsilon: this.epsilon });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return onlyShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), axis: this.axis, epsilon: this.epsilon };
  }
}
tf.serialization.registerClass(RMSNormalization);

/**
 * Makes an `RMSNormalization` layer.
 *
 * @param args See `RMSNormalizationArgs`.
 * @returns The layer.
 */
export function rmsNormalization(args: RMSNormalizationArgs = {}): RMSNormalization {
  return knowingOptions(new RMSNormalization(args), args);
}

/**
 * Sizes of the axes that a normalisation runs over: the shape of its weights.
 *
 * @param where Name of the layer, for the error.
 * @param shape Shape of the input.
 * @param axis Axis or axes, negative ones counted from the end.
 * @returns Sizes, axes in ascending order.
 * @throws Error when an axis is out of range or its size is not known.
 */
export function normalizedSizes(
  where: string,
  shape: tfl.Shape,
  axis: number | number[],
): number[] {
  return normalizeAxes(where, axis, shape.length).map((at) => {
    const size = shape[at];
    assert(
      typeof size === 'number',
      () => `${where}: the size of axis ${at} must be known, got input=${shapeText(shape)}.`,
    );
    return size;
  });
}
