/** What the operators of `operator` are given: tensors, and constants as JSON can hold them. */
import * as tf from '@tensorflow/tfjs-core';
import { largeNegative } from '../masks/large_negative.js';
import { assert, describe } from '../util/errors.js';
import { LARGEST_HALF_FLOAT, storesHalfFloats } from '../util/half_floats.js';

/** A constant or a tensor, or lists of them. */
export type Operand =
  | tf.Tensor
  | number
  | boolean
  | string
  | null
  | undefined
  | Operand[]
  | { [name: string]: Operand };

/** The computation of an operator from its operands, in order. */
export type OperatorFunction = (...operands: Operand[]) => tf.Tensor | tf.Tensor[];

/**
 * An operand as a tensor. A constant gets the dtype of the tensor beside it, as in Python: an integer beside integers
 * stays one. Where 16-bit floats are stored, one that is too large for them, as the −1e9 of a mask, becomes ±3e4:
 * stored as it is, it would make NaN of what it hides.
 *
 * @param operand Tensor, number, boolean or list of numbers.
 * @param beside A tensor that it is combined with.
 * @returns The tensor.
 */
export function asTensor(operand: Operand, beside?: Operand): tf.Tensor {
  if (operand instanceof tf.Tensor) return operand;
  assert(
    typeof operand === 'number' || typeof operand === 'boolean' || Array.isArray(operand),
    () => `operator: an operand must be a tensor or numbers, got ${describe(operand)}.`,
  );
  const values = [operand].flat(9) as (number | boolean)[];
  const integers = values.every((value) => typeof value === 'boolean' || Number.isInteger(value));
  const whole = beside instanceof tf.Tensor && beside.dtype !== 'float32' && integers;
  if (whole) return tf.tensor(operand as tf.TensorLike, undefined, 'int32');
  return tf.tensor(storable(operand) as tf.TensorLike, undefined, 'float32');
}

/** Numbers as the current backend can store them and still add to them. */
function storable(operand: Operand): Operand {
  if (!storesHalfFloats()) return operand;
  if (Array.isArray(operand)) return operand.map(storable);
  const tooLarge = typeof operand === 'number' && Math.abs(operand) > LARGEST_HALF_FLOAT;
  return tooLarge ? Math.sign(operand) * -largeNegative() : operand;
}

/**
 * A tensor of numbers to calculate with: float32 unless it is one of integers and stays so.
 *
 * @param operand See `asTensor`.
 * @param beside See `asTensor`.
 * @returns float32 or int32.
 */
export function asNumbers(operand: Operand, beside?: Operand): tf.Tensor {
  const x = asTensor(operand, beside);
  return x.dtype === 'bool' ? tf.cast(x, 'int32') : x;
}

/**
 * A tensor of float32.
 *
 * @param operand See `asTensor`.
 * @returns The tensor.
 */
export function asFloats(operand: Operand): tf.Tensor {
  const x = asTensor(operand);
  return x.dtype === 'float32' ? x : tf.cast(x, 'float32');
}

/**
 * Axes of a reduction.
 *
 * @param axis An integer, a list, or null for all.
 * @returns The axes as TensorFlow.js takes them.
 */
export function asAxes(axis: Operand): number | number[] | undefined {
  return (axis ?? undefined) as number | number[] | undefined;
}
