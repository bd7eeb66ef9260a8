import * as tf from '@tensorflow/tfjs-core';
import { assertInteger } from '../util/errors.js';
import { stopGradient } from '../util/stop_gradient.js';
import { assertRank, toTensor } from '../util/tensors.js';

/**
 * Hides padding: key j of row b is visible where tokenIds[b, j] ≠ padId.
 *
 * On WebGL with 16-bit textures integers are exact only up to 2,048; larger ids are not safe to compare there.
 *
 * @param tokenIds Token ids, [B, S].
 * @param padId The id that means "no token", 0 by default.
 * @returns Bool mask, [B, 1, 1, S]; the same for every head and query.
 * @throws Error when tokenIds has not two axes, or padId is no 32-bit integer.
 */
export function padding(tokenIds: tf.TensorLike | tf.Tensor, padId = 0): tf.Tensor4D {
  const where = 'masks.padding';
  assertInteger(where, 'padId', padId, -(2 ** 31), 2 ** 31 - 1);
  return stopGradient(() => {
    const ids = toTensor(where, 'tokenIds', tokenIds, 'int32');
    assertRank(where, 'tokenIds', ids, '[B,S]');
    const [B, S] = ids.shape;
    const isToken = tf.notEqual(ids, tf.scalar(padId, 'int32'));
    return tf.reshape<tf.Rank.R4>(isToken, [B, 1, 1, S]);
  });
}
