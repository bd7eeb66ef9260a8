import * as tf from '@tensorflow/tfjs-core';

/**
 * Mask in which every query sees one unbroken run of keys.
 *
 * It is made on the host, row by row: exact at any length (16-bit WebGL cannot compare positions above 2,048), and
 * one tensor instead of a chain of comparisons.
 *
 * @param T Number of queries.
 * @param S Number of keys.
 * @param run First visible key of a query, and the one after the last; clipped to 0 … S.
 * @returns Bool mask, [1, 1, T, S].
 */
export function band(
  T: number,
  S: number,
  run: (query: number) => [begin: number, end: number],
): tf.Tensor4D {
  const visible = new Uint8Array(T * S);
  for (let i = 0; i < T; i++) {
    const [begin, end] = run(i);
    const first = Math.min(Math.max(begin, 0), S);
    const after = Math.min(Math.max(end, first), S);
    visible.fill(1, i * S + first, i * S + after);
  }
  return tf.tensor4d(visible, [1, 1, T, S], 'bool');
}
