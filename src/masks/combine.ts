import * as tf from '@tensorflow/tfjs-core';
import { assert } from '../util/errors.js';
import { shapeText } from '../util/shapes.js';
import { stopGradient } from '../util/stop_gradient.js';
import { toBool } from './to_bool.js';

/**
 * Joins masks two by two, each made bool first.
 *
 * @param where Name of the caller in errors.
 * @param masks One or more masks of any dtype.
 * @param join Logical operation of two bool tensors.
 * @returns Bool mask of the broadcast shape.
 * @throws Error when no mask is given or the shapes do not broadcast.
 */
export function combine(
  where: string,
  masks: (tf.TensorLike | tf.Tensor)[],
  join: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
): tf.Tensor {
  assert(masks.length > 0, () => `${where}: needs at least one mask, got none.`);
  return stopGradient(() =>
    masks
      .map((mask) => toBool(mask, where))
      .reduce((a, b) => {
        assert(
          broadcastable(a.shape, b.shape),
          () =>
            `${where}: shapes of masks must broadcast, got ${shapeText(a.shape)} and ${shapeText(b.shape)}.`,
        );
        return join(a, b);
      }),
  );
}

/** Whether two shapes broadcast together, aligned at the last axis. */
function broadcastable(a: number[], b: number[]): boolean {
  const shared = Math.min(a.length, b.length);
  for (let k = 1; k <= shared; k++) {
    const x = a[a.length - k];
    const y = b[b.length - k];
    if (x !== y && x !== 1 && y !== 1) return false;
  }
  return true;
}
