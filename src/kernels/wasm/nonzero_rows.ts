/** Which rows of gradients count: those of padding are 0 in every layer, and need not be multiplied. */
import type * as tf from '@tensorflow/tfjs-core';
import type { KernelCall } from './kernel.js';

/** Copying the others together has to pay: from this part of the rows on, all are taken. */
const MOST = 7 / 8;

/**
 * Finds the rows in which any of some matrices is not 0.
 *
 * @param call The kernel's call.
 * @param matrices The matrices, [rows, columns]; a missing one is 0.
 * @param columns Columns of each.
 * @param rows How many all have.
 * @param body Gets a list of row numbers (i32) and their count; or no list, 0, and the count of all rows, where
 *   leaving out the others wouldn't pay.
 */
export function withNonzeroRows(
  call: KernelCall,
  matrices: readonly (tf.TensorInfo | undefined)[],
  columns: readonly number[],
  rows: number,
  body: (list: number, count: number) => void,
): void {
  const listBytes = 4 * rows;
  call.withScratch(listBytes + rows, (list) => {
    const marks = list + listBytes;
    call.exports.clearRows(marks, 1, rows, 0);
    matrices.forEach((matrix, i) => {
      if (matrix) call.exports.markRows(call.pointer(matrix), rows, columns[i], marks);
    });
    const count = call.exports.listRows(marks, rows, list);
    if (count > MOST * rows) body(0, rows);
    else body(list, count);
  });
}
