/** A strict comparison: shapes must be equal, NaN equals nothing but an expected NaN, infinities only themselves. */
import * as tf from '@tensorflow/tfjs';
import { precision } from './precision.js';

/** How far apart two numbers may be: |got − expected| ≤ atol + rtol·|expected|. */
export interface Tolerance {
  atol?: number;
  rtol?: number;
}

/** Numbers with the shape they stand for. */
export interface Expected {
  shape: number[];
  values: ArrayLike<number>;
}

type Nested = number | boolean | Nested[];

/**
 * Compares a tensor with expected numbers and names the worst place. `precision()` may widen the tolerance.
 *
 * @param got The tensor.
 * @param expected A tensor, nested arrays, or `{shape, values}`.
 * @param tolerance Defaults: atol 1e-5, rtol 1e-5.
 */
export function expectClose(
  got: tf.Tensor,
  expected: tf.Tensor | Nested | Expected,
  tolerance: Tolerance = {},
): void {
  const { atol = 1e-5, rtol = 1e-5 } = tolerance;
  const least = precision();
  compare(got, expected, Math.max(atol, least.atol), Math.max(rtol, least.rtol));
}

/**
 * Compares bit by bit (as numbers: +0 and −0 are equal), on every backend.
 *
 * @param got The tensor.
 * @param expected What it must be.
 */
export function expectIdentical(got: tf.Tensor, expected: tf.Tensor | Nested | Expected): void {
  compare(got, expected, 0, 0);
}

function compare(
  got: tf.Tensor,
  expected: tf.Tensor | Nested | Expected,
  atol: number,
  rtol: number,
): void {
  const want = flatten(expected);
  if (got.shape.join() !== want.shape.join()) {
    throw new Error(`expectClose: shapes differ, got [${got.shape}], expected [${want.shape}].`);
  }
  const values = got.dataSync();
  let worst = -1;
  let excess = 0;
  for (let i = 0; i < values.length; i++) {
    const a = Number(values[i]);
    const b = Number(want.values[i]);
    let over: number;
    if (Number.isNaN(b) || !Number.isFinite(b)) over = Object.is(a, b) ? 0 : Infinity;
    else if (!Number.isFinite(a)) over = Infinity;
    else over = Math.abs(a - b) - (atol + rtol * Math.abs(b));
    if (over > excess) {
      excess = over;
      worst = i;
    }
  }
  if (worst >= 0) {
    throw new Error(
      `expectClose: worst at flat index ${worst} of [${got.shape}]: got ${values[worst]}, ` +
        `expected ${Number(want.values[worst])}, tolerance atol=${atol} rtol=${rtol}.`,
    );
  }
}

function flatten(expected: tf.Tensor | Nested | Expected): Expected {
  if (expected instanceof tf.Tensor) return { shape: expected.shape, values: expected.dataSync() };
  if (typeof expected === 'object' && !Array.isArray(expected)) return expected;
  const shape: number[] = [];
  for (let level: Nested = expected; Array.isArray(level); level = level[0])
    shape.push(level.length);
  const values = ([expected].flat(Infinity as 1) as unknown[]).map(Number);
  return { shape, values };
}
