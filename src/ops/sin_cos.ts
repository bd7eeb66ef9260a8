/**
 * Sines and cosines, right to float32 on every backend.
 *
 * A shader's own sin and cos need be no better than 2⁻¹¹ and only between −π and π, by the rules of GLSL and WGSL:
 * at position 1,000 a rotation was off by 0.002. So on WebGL and WebGPU they are made of products and sums. Each of
 * those is a kernel of its own, so that no compiler may reorder them.
 */
import * as tf from '@tensorflow/tfjs-core';
import { LARGEST_EXACT_INTEGER, storesHalfFloats } from '../util/half_floats.js';

/** 2π in three parts, the first two so short that k times them is exact: 201/32 and 253·2⁻¹⁷ (Cody, Waite 1980). */
const TURN = [6.28125, 0.00193023681640625, 5.070363172e-6];

/** sin(y)/y = 1 + z·(…) with z = y², by Taylor: −1/11!, 1/9!, −1/7!, 1/5!, −1/3!. Below π/2 what is left out is 6e-8. */
const SERIES = [-1 / 39916800, 1 / 362880, -1 / 5040, 1 / 120, -1 / 6];

/** With 16-bit floats: distance between the rows of the table. */
const STRIDE = 8;

/**
 * sin and cos of the angles positions · frequencies.
 *
 * Angles are float32, as in Keras and PyTorch. On WebGL and WebGPU results are good to 5e-7 for angles up to 4·10⁵.
 * Where WebGL stores 16-bit floats an angle of 1,000 would be off by 0.25; there the result is that of the exact
 * angle to about 0.003, for positions up to 2,048.
 *
 * @param positions Any shape [...] and numeric dtype, at least 0.
 * @param frequencies R numbers.
 * @returns [sin, cos], each [..., R]; no gradient flows into the positions.
 */
export function sinCos(
  positions: tf.Tensor,
  frequencies: Float32Array,
): [sin: tf.Tensor, cos: tf.Tensor] {
  const column = tf.expandDims(tf.cast(positions, 'float32'), -1);
  if (storesHalfFloats()) return fromTable(column, frequencies);
  const angles = tf.mul(column, tf.tensor1d(frequencies));
  return isCoarse() ? fromSeries(angles) : [tf.sin(angles), tf.cos(angles)];
}

/**
 * Sine, element by element, right to float32 on WebGL and WebGPU too: to 5e-7 for angles up to 4·10⁵. (With 16-bit
 * floats the angle itself is the coarser one.)
 *
 * @param x Any shape, float32, in radians.
 * @returns Shape of x; differentiable.
 */
export function sin(x: tf.Tensor): tf.Tensor {
  return isCoarse() && !storesHalfFloats() ? fromSeries(x)[0] : tf.sin(x);
}

/**
 * Cosine, as {@link sin}.
 *
 * @param x Any shape, float32, in radians.
 * @returns Shape of x; differentiable.
 */
export function cos(x: tf.Tensor): tf.Tensor {
  return isCoarse() && !storesHalfFloats() ? fromSeries(x)[1] : tf.cos(x);
}

/** Whether the backend's own functions are those of a shader. */
const isCoarse = (): boolean => ['webgl', 'webgpu'].includes(tf.getBackend());

/** Takes whole turns away, folds what is left into −π/2 … π/2 and sums the series, for both at once. */
function fromSeries(angles: tf.Tensor): [tf.Tensor, tf.Tensor] {
  const turns = tf.round(tf.mul(angles, 1 / (2 * Math.PI)));
  const rest = TURN.reduce((x, part) => tf.sub(x, tf.mul(turns, part)), angles);
  const folded = tf.minimum(tf.maximum(rest, tf.sub(-Math.PI, rest)), tf.sub(Math.PI, rest)); // of equal sine
  const complement = tf.sub(Math.PI / 2, tf.abs(rest)); // its sine is the cosine
  const y = tf.stack([folded, complement]);
  const z = tf.square(y);
  const [last, ...others] = SERIES;
  const series = others.reduce<tf.Tensor>(
    (sum, term) => tf.add(tf.mul(sum, z), term),
    tf.scalar(last),
  );
  const [sin, cos] = tf.unstack(tf.add(y, tf.mul(tf.mul(series, z), y)));
  return [sin, cos];
}

/** Every eighth position from a table made on the host, the rest, a small angle, added by the addition theorem. */
function fromTable(column: tf.Tensor, frequencies: Float32Array): [tf.Tensor, tf.Tensor] {
  const R = frequencies.length;
  const rows = LARGEST_EXACT_INTEGER / STRIDE + 1;
  const table = new Float32Array(rows * 2 * R);
  for (let i = 0; i < rows * R; i++) {
    const angle = STRIDE * Math.floor(i / R) * frequencies[i % R];
    const at = Math.floor(i / R) * 2 * R + (i % R);
    table[at] = Math.sin(angle);
    table[at + R] = Math.cos(angle);
  }
  const row = tf.floor(tf.mul(column, 1 / STRIDE));
  const indices = tf.cast(tf.squeeze(row, [-1]), 'int32');
  const [sin1, cos1] = tf.split(tf.gather(tf.tensor2d(table, [rows, 2 * R]), indices), 2, -1);
  const angles = tf.mul(tf.sub(column, tf.mul(row, STRIDE)), tf.tensor1d(frequencies));
  const [sin2, cos2] = [tf.sin(angles), tf.cos(angles)];
  return [
    tf.add(tf.mul(sin1, cos2), tf.mul(cos1, sin2)),
    tf.sub(tf.mul(cos1, cos2), tf.mul(sin1, sin2)),
  ];
}
