import * as tf from '@tensorflow/tfjs-core';
import { assert } from '../util/errors.js';
import { shapeText } from '../util/shapes.js';
import { stopGradient } from '../util/stop_gradient.js';
import { assertRank, toTensor } from '../util/tensors.js';

/**
 * Keeps packed documents apart: query i of row b sees key j where queryIds[b, i] = keyIds[b, j].
 *
 * `and(causal(T), segments(ids))` is the mask of a causal model trained on rows of several documents.
 *
 * @param queryIds Number of the document that each query belongs to, [B, T].
 * @param keyIds The same for keys, [B, S]; queryIds by default.
 * @returns Bool mask, [B, 1, T, S].
 * @throws Error when an argument has not two axes, or the batch sizes differ.
 */
export function segments(
  queryIds: tf.TensorLike | tf.Tensor,
  keyIds: tf.TensorLike | tf.Tensor = queryIds,
): tf.Tensor4D {
  const where = 'masks.segments';
  return stopGradient(() => {
    const query = toTensor(where, 'queryIds', queryIds, 'int32');
    const key = toTensor(where, 'keyIds', keyIds, 'int32');
    assertRank(where, 'queryIds', query, '[B,T]');
    assertRank(where, 'keyIds', key, '[B,S]');
    const [B, T] = query.shape;
    const [, S] = key.shape;
    assert(
      key.shape[0] === B,
      () =>
        `${where}: queryIds and keyIds must have the same batch size, got queryIds=${shapeText(query.shape)}, ` +
        `keyIds=${shapeText(key.shape)}.`,
    );
    return tf.equal<tf.Tensor4D>(tf.reshape(query, [B, 1, T, 1]), tf.reshape(key, [B, 1, 1, S]));
  });
}
