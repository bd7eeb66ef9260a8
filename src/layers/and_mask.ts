import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { and } from '../masks/and.js';
import { assert } from '../util/errors.js';
import { shapeText } from '../util/shapes.js';
import type { CallArguments } from './call_arguments.js';
import type { LayerArgs } from './composite_layer.js';
import { knowingOptions } from './single_input_layer.js';

/**
 * `masks.and` for `tf.model`: a list of masks → true where every one is nonzero.
 *
 * In a model every tensor has the batch first, so masks of fewer axes get theirs behind it: [B, S] means
 * [B, 1, 1, S] beside a mask of four axes, [B, T, S] means [B, 1, T, S]. After that shapes broadcast.
 */
export class AndMask extends tfl.layers.Layer {
  /** Name under which saved models find the class. */
  static readonly className = 'AndMask';

  /** @param args What every layer takes. */
  constructor(args: LayerArgs = {}) {
    super(args);
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments): tf.Tensor {
    return tf.tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const masks = Array.isArray(inputs) ? inputs : [inputs];
      const shapes = aligned(masks.map((mask) => mask.shape));
      return and(...masks.map((mask, i) => tf.reshape(mask, shapes[i] as number[])));
    });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const shapes = (Array.isArray(inputShape[0]) ? inputShape : [inputShape]) as tfl.Shape[];
    return aligned(shapes).reduce((a, b) =>
      a.map((size, i) => {
        if (size === b[i] || b[i] === 1) return size;
        if (size === 1 || size === null) return b[i];
        assert(
          b[i] === null,
          () => `${this.name}: masks must broadcast, got ${shapes.map(shapeText).join(' and ')}.`,
        );
        return size;
      }),
    );
  }
}
tf.serialization.registerClass(AndMask);

/** Shapes of one length: missing axes go behind the batch. */
function aligned(shapes: tfl.Shape[]): tfl.Shape[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return shapes.map(([batch, ...rest]) => [
    batch,
    ...Array<number>(rank - 1 - rest.length).fill(1),
    ...rest,
  ]);
}

/**
 * Makes an `AndMask` layer.
 *
 * @param args What every layer takes.
 * @returns The layer.
 */
export function andMask(args: LayerArgs = {}): AndMask {
  return knowingOptions(new AndMask(args), args);
}
