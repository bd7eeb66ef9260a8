/** Kernels that work on rows take an operation over the last axis, or the last few, which lie in memory as one. */
import type * as tf from '@tensorflow/tfjs-core';
import { sizeOf } from '../../util/shapes.js';
import type { Inputs } from './kernel.js';

/**
 * Whether the normalised axes are the last ones.
 *
 * @param inputs With `x`.
 * @param attrs With `axes`, ascending.
 * @returns True when each row of `x` lies in one piece.
 */
export function areTrailing({ x }: Inputs, { axes }: tf.NamedAttrMap): boolean {
  const first = x.shape.length - (axes as number[]).length;
  return (axes as number[]).every((axis, i) => axis === first + i);
}

/**
 * The matrix that a tensor is for such an operation.
 *
 * @param shape Shape of the tensor.
 * @param axes The last axes.
 * @returns Number of rows and elements a row.
 */
export function rowsAndSize(shape: number[], axes: number[]): { rows: number; size: number } {
  const first = shape.length - axes.length;
  return { rows: sizeOf(shape.slice(0, first)), size: sizeOf(shape.slice(first)) };
}
