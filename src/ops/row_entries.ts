/**
 * One entry of each row of a matrix, by its column. `gatherND`, not `gather` with batchDims: on wasm 4.22 that one reads
 * the wrong rows, or beyond its memory.
 */
import * as tf from '@tensorflow/tfjs-core';
import { replaceHidden } from '../util/broadcast.js';
import { storesHalfFloats } from '../util/half_floats.js';

/**
 * Where the entries are, for the functions below.
 *
 * @param columns [M], int32, 0 … V−1.
 * @param V Number of columns.
 * @returns Indices [M, 2], int32; or, where 16-bit floats cannot number more than 2,049 rows, a bool mask [M, V].
 */
export function rowEntries(columns: tf.Tensor, V: number): tf.Tensor {
  if (storesHalfFloats()) return tf.oneHot(columns, V, 1, 0, 'bool');
  return tf.stack([tf.range(0, columns.size, 1, 'int32'), columns], 1);
}

/**
 * Takes an entry out of each row.
 *
 * @param matrix [M, V]
 * @param entries What `rowEntries` returned.
 * @returns [M]; no gradient flows.
 */
export function takeEntries(matrix: tf.Tensor, entries: tf.Tensor): tf.Tensor {
  if (entries.dtype !== 'bool') return tf.gatherND(matrix, entries);
  return tf.sum(replaceHidden(entries, matrix, 0), -1);
}

/**
 * Puts a value into each row of zeros.
 *
 * @param values [M]
 * @param entries What `rowEntries` returned.
 * @param shape [M, V]
 * @returns [M, V]
 */
export function putEntries(
  values: tf.Tensor,
  entries: tf.Tensor,
  shape: [M: number, V: number],
): tf.Tensor {
  if (entries.dtype !== 'bool') return tf.scatterND(entries, values, shape);
  return tf.mul(tf.cast(entries, 'float32'), tf.reshape(values, [shape[0], 1]));
}
