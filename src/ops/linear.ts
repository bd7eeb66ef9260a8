import * as tf from '@tensorflow/tfjs-core';
import { assert, assertInteger, assertKnownOptions } from '../util/errors.js';
import { assertFloatTensor, assertParameter } from '../util/float_tensor.js';
import { shapeText, sizeOf } from '../util/shapes.js';
import {
  activation as activate,
  resolveActivation,
  type Activation,
  type ActivationName,
} from './activation.js';
import { dispatch, isRecording } from './dispatch.js';
import { linearReference } from './linear_reference.js';

/** Options of {@link linear}. */
export interface LinearOptions {
  /** Applied to the result; `'linear'`, nothing, by default. */
  activation?: ActivationName;
  /**
   * How many of the last axes of x are summed over; as many axes of the kernel come first. 1 by default; 2 takes the
   * heads of an attention, [..., N, H], by a kernel [N, H, D].
   */
  inputAxes?: number;
  /** Whether the kernel lies as [E, D], as a table of embeddings does that is also the output head. False by default. */
  transposeKernel?: boolean;
}

/**
 * Multiplies the last axis by a matrix: y = activation(x·W + b) (Keras `Dense`), or several axes by a kernel with more
 * axes (Keras `EinsumDense`).
 *
 * @param x [..., D], float32, at least one axis; [..., ...D] with more `inputAxes`.
 * @param kernel W, [D, E]; [...D, ...E] in general.
 * @param bias b, [E]; none by default.
 * @param options {@link LinearOptions}
 * @returns [..., E]; differentiable in x, kernel and bias.
 * @throws Error when the shapes do not fit together.
 */
export function linear(
  x: tf.Tensor,
  kernel: tf.Tensor,
  bias?: tf.Tensor | null,
  options: LinearOptions = {},
): tf.Tensor {
  assertFloatTensor('linear', 'x', x, 1);
  assertKnownOptions('linear', options, ['activation', 'inputAxes', 'transposeKernel']);
  const { transposeKernel = false } = options;
  const inputAxes = assertInteger('linear', 'inputAxes', options.inputAxes ?? 1, 1, x.rank);
  const activation = resolveActivation('linear', options.activation ?? 'linear');
  const to = transposeKernel
    ? assertTransposedKernel(kernel, x, inputAxes)
    : assertKernel('linear', 'kernel', kernel, x, inputAxes);
  assertParameter('linear', 'bias', bias, to, '[E]=');
  const inputs: Record<string, tf.Tensor> = bias ? { x, kernel, bias } : { x, kernel };
  const call = { inputs, differentiable: Object.keys(inputs) };
  const variant = bias ? '' : 'NoBias';
  if (kernel.rank === 2 && inputAxes === 1 && activation === 'linear' && !transposeKernel) {
    const compose = (): tf.Tensor => linearReference(...Object.values(inputs));
    return dispatch({ kernel: `TransformersLinear${variant}`, ...call, reference: compose });
  }
  // The slope of an activation is cheaper to make beside the activation than again in the gradient.
  const slope = activation !== 'linear' && isRecording();
  return dispatch({
    kernel: `TransformersGeneralLinear${variant}`,
    ...call,
    attrs: { inputAxes, activation, transposeKernel, slope },
    reference: () => {
      const matrix = transposeKernel ? tf.transpose(kernel) : kernel;
      return byPlain(x, matrix, bias, inputAxes, activation);
    },
  });
}

/**
 * Checks that a kernel takes the last axes of x.
 *
 * @param where Name of the function that was called.
 * @param name Name of the argument.
 * @param kernel What was given.
 * @param x What it is to multiply.
 * @param inputAxes How many axes are summed over.
 * @returns The sizes that it makes of them.
 * @throws Error naming both shapes.
 */
export function assertKernel(
  where: string,
  name: string,
  kernel: tf.Tensor,
  x: tf.Tensor,
  inputAxes: number,
): number[] {
  assertFloatTensor(where, name, kernel);
  const from = x.shape.slice(x.rank - inputAxes);
  assert(kernel.rank > inputAxes && from.every((size, axis) => kernel.shape[axis] === size), () =>
    inputAxes === 1
      ? `${where}: ${name} must have shape [D,E] with D=${from[0]}, the last axis of x ${shapeText(x.shape)}, ` +
        `got shape=${shapeText(kernel.shape)}.`
      : `${where}: the first ${inputAxes} axes of ${name} must be the last of x ${shapeText(x.shape)}, ` +
        `and more must follow, got shape=${shapeText(kernel.shape)}.`,
  );
  return kernel.shape.slice(inputAxes);
}

function assertTransposedKernel(kernel: tf.Tensor, x: tf.Tensor, inputAxes: number): number[] {
  assertFloatTensor('linear', 'kernel', kernel);
  const D = x.shape[x.rank - 1];
  assert(
    kernel.rank === 2 && kernel.shape[1] === D && inputAxes === 1,
    () =>
      `linear: with transposeKernel the kernel must have shape [E,D] with D=${D}, the last axis of x ` +
      `${shapeText(x.shape)}, and inputAxes must be 1, got shape=${shapeText(kernel.shape)}, inputAxes=${inputAxes}.`,
  );
  return kernel.shape.slice(0, 1);
}

/** By the plain case, which may have a kernel where the general one has none. */
function byPlain(
  x: tf.Tensor,
  kernel: tf.Tensor,
  bias: tf.Tensor | null | undefined,
  inputAxes: number,
  activation: Activation,
): tf.Tensor {
  return tf.tidy(() => {
    const lead = x.shape.slice(0, x.rank - inputAxes);
    const to = kernel.shape.slice(inputAxes);
    const [D, E] = [sizeOf(kernel.shape.slice(0, inputAxes)), sizeOf(to)];
    const flat = shaped(x, [...lead, D]);
    const y = linear(flat, shaped(kernel, [D, E]), bias && shaped(bias, [E]));
    const z = shaped(y, [...lead, ...to]);
    return activation === 'linear' ? z : activate(z, activation);
  });
}

/** A reshape where one is needed: each is two operations, with its gradient four. */
function shaped(x: tf.Tensor, shape: number[]): tf.Tensor {
  return x.rank === shape.length ? x : tf.reshape(x, shape);
}
