import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { assert, assertNumber } from '../util/errors.js';
import { shapeText } from '../util/shapes.js';
import { stopGradient } from '../util/stop_gradient.js';
import type { LayerArgs } from './composite_layer.js';
import { knowingOptions, onlyShape, SingleInputLayer } from './single_input_layer.js';

/** Options of `featureMask`. */
export interface FeatureMaskArgs extends LayerArgs {
  /** Steps whose features all have this value are padding. Default 0. */
  maskValue?: number;
}

/**
 * The mask of `tf.layers.masking` as a tensor: features [B, S, D] → mask [B, 1, 1, S], true where any feature of the
 * step differs from `maskValue`.
 */
export class FeatureMask extends SingleInputLayer {
  /** Name under which saved models find the class. */
  static readonly className = 'FeatureMask';

  private readonly maskValue: number;

  /** @param args See `FeatureMaskArgs`. */
  constructor(args: FeatureMaskArgs = {}) {
    super(args);
    this.supportsMasking = false; // a mask has no mask
    this.maskValue = assertNumber('FeatureMask', 'maskValue', args.maskValue ?? 0);
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const [B, , , S] = this.computeOutputShape(x.shape) as number[];
    return stopGradient(() => tf.reshape(tf.any(tf.notEqual(x, this.maskValue), -1), [B, 1, 1, S]));
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const shape = onlyShape(inputShape);
    assert(
      shape.length === 3,
      () => `${this.name}: features must have shape [B,S,D], got shape=${shapeText(shape)}.`,
    );
    return [shape[0], 1, 1, shape[1]];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), maskValue: this.maskValue };
  }
}
tf.serialization.registerClass(FeatureMask);

/**
 * Makes a `FeatureMask` layer.
 *
 * @param args See `FeatureMaskArgs`.
 * @returns The layer.
 */
export function featureMask(args: FeatureMaskArgs = {}): FeatureMask {
  return knowingOptions(new FeatureMask(args), args);
}
