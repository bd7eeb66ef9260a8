import * as tf from '@tensorflow/tfjs-core';
import { assert, assertInteger } from '../util/errors.js';
import { shapeText, sizeOf } from '../util/shapes.js';
import { dispatch, usesKernel } from './dispatch.js';

const KERNEL = 'TransformersCacheWrite';

/**
 * Writes new rows into a buffer: buffer[:, at … at+T−1] = rows.
 *
 * The buffer is given up to it: where a kernel works in place, the result is the same memory, and the buffer's own
 * handle shows the new rows too. Where another tensor shares that memory, it is copied first, and the other one keeps
 * what it has. Without a kernel the result is a new tensor.
 *
 * @param buffer [B, C, …], any dtype.
 * @param rows [B, T, …], the same dtype and further sizes.
 * @param at Place of the first row, 0 … C−T.
 * @returns [B, C, …]; differentiable in both.
 * @throws Error when the rows do not fit.
 */
export function cacheWrite(buffer: tf.Tensor, rows: tf.Tensor, at: number): tf.Tensor {
  const fits =
    buffer.rank >= 2 &&
    buffer.dtype === rows.dtype &&
    buffer.rank === rows.rank &&
    buffer.shape.every((size, axis) => axis === 1 || size === rows.shape[axis]);
  assert(
    fits,
    () =>
      'cacheWrite: rows must be of the dtype and, but for axis 1, the shape of the buffer, got ' +
      `buffer=${shapeText(buffer.shape)} ${buffer.dtype}, rows=${shapeText(rows.shape)} ${rows.dtype}.`,
  );
  const [, C] = buffer.shape as number[];
  const [, T] = rows.shape as number[];
  assertInteger('cacheWrite', 'at', at, 0, C - T);
  return tf.tidy(() =>
    dispatch({
      kernel: KERNEL,
      inputs: { buffer, rows },
      differentiable: ['buffer', 'rows'],
      gradientInputs: [],
      attrs: { at, length: T },
      reference: () => {
        const end = at + T;
        const parts = [
          tf.slice(buffer, [0, 0], [-1, at]),
          rows,
          tf.slice(buffer, [0, end], [-1, C - end]),
        ].filter(({ shape }) => sizeOf(shape) > 0);
        return parts.length === 0 ? tf.clone(buffer) : tf.concat(parts, 1);
      },
    }),
  );
}

/**
 * Whether the current backend has a kernel for `cacheWrite`. Where it has none, a buffer with spare room only costs.
 *
 * @returns True when a write costs no copy of the buffer.
 */
export function writesInPlace(): boolean {
  return usesKernel(KERNEL, {}, {});
}
