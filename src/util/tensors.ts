import * as tf from '@tensorflow/tfjs-core';
import { assert, describe } from './errors.js';
import { shapeText } from './shapes.js';

/**
 * Takes what a caller gave as a tensor: a tensor as it is, nested arrays of numbers or booleans made into one.
 *
 * @param where Name of the function that was called, first word of the error.
 * @param name Name of the argument.
 * @param value A tensor or nested arrays.
 * @param dtype Type of the tensor made from arrays; found from the values when it is not given. A tensor keeps its own.
 * @returns The tensor; a new one only when arrays were given.
 * @throws Error when the value is symbolic, a string, or no tensor at all.
 */
export function toTensor(
  where: string,
  name: string,
  value: tf.TensorLike | tf.Tensor,
  dtype?: 'float32' | 'int32' | 'bool',
): tf.Tensor {
  assert(
    !isSymbolic(value),
    () =>
      `${where}: ${name} must hold numbers, got a symbolic tensor. Functions run on numbers only: inside tf.model ` +
      `use a layer, for example layers.paddingMask() or layers.andMask().`,
  );
  const isTensor = value instanceof tf.Tensor;
  assert(
    isTensor ||
      Array.isArray(value) ||
      ArrayBuffer.isView(value) ||
      typeof value === 'number' ||
      typeof value === 'boolean',
    () =>
      `${where}: ${name} must be a tensor or nested arrays of numbers, got ${name}=${describe(value)}.`,
  );
  const tensor = isTensor ? value : tf.tensor(value, undefined, dtype);
  assert(
    tensor.dtype === 'float32' || tensor.dtype === 'int32' || tensor.dtype === 'bool',
    () => `${where}: ${name} must be float32, int32 or bool, got dtype=${tensor.dtype}.`,
  );
  return tensor;
}

/**
 * Checks the number of axes of a tensor.
 *
 * @param where Name of the function that was called.
 * @param name Name of the argument.
 * @param tensor The tensor.
 * @param axes The axes expected, by their letters, for example `[B,S]`.
 * @throws Error naming both shapes.
 */
export function assertRank(where: string, name: string, tensor: tf.Tensor, axes: string): void {
  assert(
    tensor.rank === axes.split(',').length,
    () => `${where}: ${name} must have shape ${axes}, got shape=${shapeText(tensor.shape)}.`,
  );
}

/** Symbolic tensors belong to tfjs-layers, which this file must not load: they are known by what only they have. */
function isSymbolic(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && 'sourceLayer' in value && 'nodeIndex' in value
  );
}
