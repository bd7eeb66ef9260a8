import * as tf from '@tensorflow/tfjs-core';
import { assert, describe } from './errors.js';
import { shapeText } from './shapes.js';

/**
 * Checks that an argument is a float32 tensor with enough axes.
 *
 * @param where Name of the function that was called, first word of the error.
 * @param name Name of the argument.
 * @param value What was given.
 * @param minRank Fewest axes allowed, 0 by default.
 * @throws Error when it is no tensor (a symbolic one included), of another dtype, or has too few axes.
 */
export function assertFloatTensor(
  where: string,
  name: string,
  value: unknown,
  minRank = 0,
): asserts value is tf.Tensor {
  assert(
    value instanceof tf.Tensor,
    () =>
      `${where}: ${name} must be a tensor, got ${name}=${describe(value)}. ` +
      `Wrap arrays in tf.tensor(…); inside tf.model use a layer.`,
  );
  const tensor = value as tf.Tensor;
  assert(
    tensor.dtype === 'float32',
    () =>
      `${where}: ${name} must be float32, got dtype=${tensor.dtype}. Cast it with tf.cast(${name}, 'float32').`,
  );
  assert(
    tensor.rank >= minRank,
    () =>
      `${where}: ${name} must have at least ${minRank} ${minRank === 1 ? 'axis' : 'axes'}, ` +
      `got shape=${shapeText(tensor.shape)}.`,
  );
}

/**
 * Checks that an optional parameter of an operation is a float32 tensor of one exact shape.
 *
 * @param where Name of the function that was called.
 * @param name Name of the argument.
 * @param value What was given; undefined and null are allowed and mean that there is none.
 * @param shape The shape it must have.
 * @param meaning What the shape stands for, for the error, for example `[E]=`.
 * @throws Error naming both shapes.
 */
export function assertParameter(
  where: string,
  name: string,
  value: tf.Tensor | null | undefined,
  shape: readonly number[],
  meaning: string,
): void {
  if (value === undefined || value === null) return;
  assertFloatTensor(where, name, value);
  assert(
    value.shape.length === shape.length && shape.every((size, i) => value.shape[i] === size),
    () =>
      `${where}: ${name} must have shape ${meaning}${shapeText(shape)}, got shape=${shapeText(value.shape)}.`,
  );
}
