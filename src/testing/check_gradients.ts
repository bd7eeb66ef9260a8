import * as tf from '@tensorflow/tfjs-core';
import { assert, assertKnownOptions } from '../util/errors.js';
import {
  compareGradients,
  gradientOptions,
  type Differentiable,
  type GradientOptions,
  type GradientReport,
} from './compare_gradients.js';
import type { Outputs } from './tape.js';

const KNOWN = ['tolerance', 'directions', 'seed'];

/**
 * Compares a function's gradients with finite differences.
 *
 * The outputs y are made one number with random weights c, and for each float32 input and each direction v
 *
 *     ⟨c, y(x + hv) − y(x − hv)⟩ / 2h     is compared with     ⟨∇⟨c, y⟩, v⟩
 *
 * on the scale of the gradient along such a direction (its norm for random v, itself along itself). int32 and bool
 * inputs are passed through, int32 and bool outputs ignored. Works on every backend.
 *
 * **Tolerance.** Steps are extrapolated (see finite_difference.ts), so a smooth function settles to 1e-4 or better in
 * float32; they are taken only until everything lies within the tolerance. 2e-3 leaves room for deep functions. What
 * the difference quotients themselves disagree by is added; at a kink (ReLU) the check moves a little aside. So at 2e-3 a gradient that is wrong by a factor of 1.01 fails, and so does one wholly wrong element among
 * 10,000 of like size. A gradient below the rounding of the outputs (about 1e-5 of their size) cannot be told from 0.
 * Where 16-bit floats are stored, 5e-2 is realistic.
 *
 * @param fn Takes the tensors (as arguments when `inputs` is an array, as one object when it is a map) and returns a
 *   tensor, an array or a map of tensors. Must be synchronous and give the same result each time: fix its seeds.
 * @param inputs Tensors, as an array or a map of names.
 * @param options Tolerance, directions, seed.
 * @returns The report, when every gradient is right.
 * @throws CheckError naming the worst input, its worst place, the tape's gradient and the finite difference there.
 */
export async function checkGradients<T extends tf.Tensor[]>(
  fn: (...tensors: T) => Outputs,
  inputs: readonly [...T],
  options?: GradientOptions,
): Promise<GradientReport>;
export async function checkGradients<T extends Record<string, tf.Tensor>>(
  fn: (tensors: T) => Outputs,
  inputs: T,
  options?: GradientOptions,
): Promise<GradientReport>;
export async function checkGradients(
  fn: (...args: never[]) => Outputs,
  inputs: readonly tf.Tensor[] | Record<string, tf.Tensor>,
  options: GradientOptions = {},
): Promise<GradientReport> {
  const where = 'checkGradients';
  assert(typeof fn === 'function', () => `${where}: fn must be a function, got ${typeof fn}.`);
  assertKnownOptions(where, options, KNOWN);
  const settings = gradientOptions(where, options);
  const isArray = Array.isArray(inputs);
  const names = Object.keys(inputs).map((key) => (isArray ? `inputs[${key}]` : key));
  const given: tf.Tensor[] = Object.values(inputs);
  given.forEach((x, i) => {
    assert(
      x instanceof tf.Tensor,
      () => `${where}: ${names[i]} must be a tensor, got ${typeof x}.`,
    );
  });
  const call = (tensors: tf.Tensor[]): Outputs => {
    if (isArray) return fn(...(tensors as never[]));
    const map: Record<string, tf.Tensor> = {};
    Object.keys(inputs).forEach((key, i) => (map[key] = tensors[i]));
    return fn(map as never);
  };
  // Own copies: the same tensor given twice would be one place on the tape and two in the difference.
  const tensors = given.map((x) => tf.clone(x));
  try {
    const floats = tensors.flatMap((x, i) => (x.dtype === 'float32' ? [i] : []));
    assert(
      floats.length > 0,
      () => `${where}: needs at least one float32 input to differentiate by, got none.`,
    );
    const subject: Differentiable = {
      names: floats.map((i) => names[i]),
      tensors: floats.map((i) => tensors[i]),
      compute: () => call(tensors),
      substitute: async (which, values, body) => {
        const x = tf.tensor(values, tensors[floats[which]].shape);
        const replaced = tensors.map((old, i) => (i === floats[which] ? x : old));
        try {
          return await body(() => call(replaced), x);
        } finally {
          x.dispose();
        }
      },
    };
    return await compareGradients(where, subject, settings);
  } finally {
    tf.dispose(tensors);
  }
}
