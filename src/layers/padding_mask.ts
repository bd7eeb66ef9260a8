import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { padding } from '../masks/padding.js';
import { assert, assertInteger } from '../util/errors.js';
import { shapeText } from '../util/shapes.js';
import type { LayerArgs } from './composite_layer.js';
import { knowingOptions, onlyShape, SingleInputLayer } from './single_input_layer.js';

/** Options of `paddingMask`. */
export interface PaddingMaskArgs extends LayerArgs {
  /** The id that means "no token". Default 0. */
  padId?: number;
}

/**
 * `masks.padding` for `tf.model`, where functions cannot take symbolic tensors: token ids [B, S] → mask [B, 1, 1, S],
 * true where the id is not `padId`.
 */
export class PaddingMask extends SingleInputLayer {
  /** Name under which saved models find the class. */
  static readonly className = 'PaddingMask';

  private readonly padId: number;

  /** @param args See `PaddingMaskArgs`. */
  constructor(args: PaddingMaskArgs = {}) {
    super({ ...args, dtype: args.dtype ?? 'int32' }); // the dtype is that of the input that tf.sequential makes
    this.supportsMasking = false; // a mask has no mask
    this.padId = assertInteger('PaddingMask', 'padId', args.padId ?? 0, -(2 ** 31), 2 ** 31 - 1);
  }

  protected override compute(ids: tf.Tensor): tf.Tensor {
    return padding(ids.dtype === 'int32' ? ids : tf.cast(ids, 'int32'), this.padId);
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const shape = onlyShape(inputShape);
    assert(
      shape.length === 2,
      () => `${this.name}: token ids must have shape [B,S], got shape=${shapeText(shape)}.`,
    );
    return [shape[0], 1, 1, shape[1]];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), padId: this.padId };
  }
}
tf.serialization.registerClass(PaddingMask);

/**
 * Makes a `PaddingMask` layer.
 *
 * @param args See `PaddingMaskArgs`.
 * @returns The layer.
 */
export function paddingMask(args: PaddingMaskArgs = {}): PaddingMask {
  return knowingOptions(new PaddingMask(args), args);
}
