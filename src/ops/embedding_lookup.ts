/**
 * Rows of a table by their number, with a gradient that works on every backend.
 *
 * TensorFlow.js' gradient of `gather` is `unsortedSegmentSum`, which wasm does not have; `scatterND` has, and sums
 * the rows of equal ids. The forward pass is `gatherND` rather than `gather`: on wasm it is 100 times faster for
 * 1024 rows of 128 (0.06 ms against 7), and it reads no ids back to the host.
 */
import * as tf from '@tensorflow/tfjs-core';
import { assert, describe } from '../util/errors.js';
import { assertFloatTensor } from '../util/float_tensor.js';
import { assertExactIntegers } from '../util/half_floats.js';
import { shapeText } from '../util/shapes.js';
import { dispatch } from './dispatch.js';

/**
 * Looks up rows: output[..., :] = table[ids[...], :] (Keras `Embedding`).
 *
 * An id outside 0 … V−1 gives an undefined result on the device; arrays are checked where they come in, by
 * `assertTokenIds`.
 *
 * @param table [V, D], float32.
 * @param ids [...], int32, or float32 holding integers (what a functional model hands on).
 * @returns [..., D]; differentiable in the table, where rows looked up more than once collect all their gradients.
 * @throws Error when the table has not two axes or ids are no numbers; when the backend stores 16-bit floats and the
 *   table has more than 2,049 rows, because it could not tell them apart.
 */
export function embeddingLookup(table: tf.Tensor, ids: tf.Tensor): tf.Tensor {
  assertFloatTensor('embeddingLookup', 'table', table);
  assert(
    table.rank === 2,
    () => `embeddingLookup: table must have shape [V,D], got shape=${shapeText(table.shape)}.`,
  );
  assert(
    ids instanceof tf.Tensor && (ids.dtype === 'int32' || ids.dtype === 'float32'),
    () =>
      `embeddingLookup: ids must be an int32 tensor, or a float32 one holding integers, ` +
      `got ${ids instanceof tf.Tensor ? `dtype=${ids.dtype}` : `ids=${describe(ids)}`}.`,
  );
  assertExactIntegers('embeddingLookup', 'ids', table.shape[0] - 1);
  return tf.tidy(() => {
    const whole = ids.dtype === 'int32' ? ids : tf.cast(ids, 'int32');
    return dispatch({
      kernel: 'TransformersEmbeddingLookup',
      inputs: { table, ids: whole },
      differentiable: ['table'],
      gradientInputs: ['ids'], // not the table, which may be large
      attrs: { vocabularySize: table.shape[0] },
      reference: () => reference(table, whole),
    });
  });
}

function reference(table: tf.Tensor, ids: tf.Tensor): tf.Tensor {
  const [V, D] = table.shape;
  const M = ids.size;
  const gradFunc = (dy: tf.Tensor, [ids]: tf.Tensor[]): tf.Tensor =>
    tf.scatterND(tf.reshape(ids, [M, 1]), tf.reshape(dy, [M, D]), [V, D]);
  return tf.customGrad((table, save) => {
    (save as tf.GradSaveFunc)([ids]);
    const rows = tf.gatherND(table as tf.Tensor, tf.reshape(ids, [M, 1]));
    return { value: tf.reshape(rows, [...ids.shape, D]), gradFunc };
  })(table);
}
