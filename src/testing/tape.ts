/** One differentiable computation, seen from the host: its outputs, their weighted sum, and the tape's gradients. */
import * as tf from '@tensorflow/tfjs-core';
import { assert } from '../util/errors.js';
import { normal } from '../util/random.js';
import { dot } from './finite_difference.js';

/** What a function under test may return. */
export type Outputs = tf.Tensor | tf.Tensor[] | Record<string, tf.Tensor>;

/** A function under test with its tensors put in. */
export type Computation = () => Outputs;

/** Outputs of a computation on the host. */
export interface HostOutput {
  /** Shape of the tensor. */
  shape: number[];
  /** Type of the tensor. */
  dtype: string;
  /** Its elements. */
  values: ArrayLike<number>;
}

/**
 * The tensors of a result as a list.
 *
 * @param outputs A tensor, an array or a map of tensors.
 * @returns The tensors in order.
 */
export function listOutputs(outputs: Outputs): tf.Tensor[] {
  if (outputs instanceof tf.Tensor) return [outputs];
  return Array.isArray(outputs) ? outputs : Object.values(outputs);
}

/**
 * Runs a computation off the tape and brings its outputs to the host.
 *
 * @param computation Synchronous function.
 * @returns All outputs; no tensor is left.
 */
export async function runOnHost(computation: Computation): Promise<HostOutput[]> {
  const tensors = tf.tidy(() => listOutputs(computation()).map((y) => tf.clone(y)));
  const outputs = await Promise.all(
    tensors.map(async (y) => ({ shape: y.shape, dtype: y.dtype, values: await y.data() })),
  );
  tf.dispose(tensors);
  return outputs;
}

/**
 * Random weights for the float outputs of a computation, to make one number of them all.
 *
 * @param outputs The outputs.
 * @param seed Seed of the normal numbers.
 * @returns One array for each output; null for outputs without a gradient (int32, bool).
 */
export function randomCotangents(outputs: HostOutput[], seed: number): (Float32Array | null)[] {
  return outputs.map(({ dtype, values }, i) =>
    dtype === 'float32' ? normal(seed, 2 ** 40 + i, values.length) : null,
  );
}

/**
 * Σ cotangent · output in float64.
 *
 * @param outputs The outputs.
 * @param cotangents Their weights.
 * @returns The sum.
 */
export function weightedSum(outputs: HostOutput[], cotangents: (Float32Array | null)[]): number {
  return outputs.reduce((sum, { values }, i) => {
    const cotangent = cotangents[i];
    return cotangent === null ? sum : sum + dot(values, cotangent);
  }, 0);
}

/**
 * √Σ(cotangent · output)².
 *
 * @param outputs The outputs.
 * @param cotangents Their weights.
 * @returns The size that rounding is relative to.
 */
export function magnitude(outputs: HostOutput[], cotangents: (Float32Array | null)[]): number {
  let sum = 0;
  outputs.forEach(({ values }, i) => {
    const cotangent = cotangents[i];
    if (cotangent !== null) cotangent.forEach((c, k) => (sum += (c * values[k]) ** 2));
  });
  return Math.sqrt(sum);
}

/**
 * Gradients of Σ cotangent · output from the tape.
 *
 * @param computation Synchronous function of `by`.
 * @param by Tensors or variables to differentiate by.
 * @param cotangents Weights of the outputs.
 * @returns One tensor for each of `by`; null where the tape has no path to the output.
 */
export function tapeGradients(
  computation: Computation,
  by: tf.Tensor[],
  cotangents: (Float32Array | null)[],
): (tf.Tensor | null)[] {
  const loss = (): tf.Scalar => {
    const terms = listOutputs(computation()).flatMap((y, i) => {
      const cotangent = cotangents[i];
      return cotangent === null
        ? []
        : [tf.sum<tf.Scalar>(tf.mul(y, tf.tensor(cotangent, y.shape)))];
    });
    assert(terms.length > 0, () => 'gradients need at least one float32 output, got none.');
    return terms.reduce((a, b) => tf.add(a, b));
  };
  // Unlike tf.grads, this does not throw when some tensor has no path to the output: that is a finding to report.
  const { value, grads } = tf.engine().gradients(loss, by, undefined, true);
  value.dispose();
  return (grads as (tf.Tensor | undefined)[]).map((gradient) => gradient ?? null);
}

/**
 * The same on the host.
 *
 * @param computation Synchronous function of `by`.
 * @param by Tensors or variables to differentiate by.
 * @param cotangents Weights of the outputs.
 * @returns One array for each of `by`, zeros where the tape has no path; no tensor is left.
 */
export async function tapeGradientsOnHost(
  computation: Computation,
  by: tf.Tensor[],
  cotangents: (Float32Array | null)[],
): Promise<Float32Array[]> {
  const gradients = tapeGradients(computation, by, cotangents);
  const arrays = await Promise.all(
    gradients.map(async (gradient, i) =>
      gradient === null ? new Float32Array(by[i].size) : ((await gradient.data()) as Float32Array),
    ),
  );
  tf.dispose(gradients.filter((gradient) => gradient !== null));
  return arrays;
}
