import * as tf from '@tensorflow/tfjs-core';
import {
  assert,
  assertInteger,
  assertKnownOptions,
  assertNumber,
  describe,
} from '../util/errors.js';
import { normal, uniform } from '../util/random.js';
import { shapeText } from '../util/shapes.js';

/** What stands for an input of a layer: its shape with the batch, and what to fill it with. */
export interface InputSpec {
  /** Sizes, the batch size first. */
  shape: number[];
  /** `float32` by default. */
  dtype?: 'float32' | 'int32' | 'bool';
  /**
   * int32: one more than the largest value (the number of ids), 2 by default. float32: values are uniform between
   * −max and max; standard normal when it is not given. bool: not used.
   */
  max?: number;
}

/** One input: a tensor, or what to make it of. */
export type LayerInput = tf.Tensor | InputSpec;

/**
 * Makes the tensors that a layer is called on.
 *
 * @param where Name of the caller.
 * @param inputs Tensors (copied) and specifications, one or several.
 * @param seed Seed of the random values.
 * @returns New tensors, with the same batch size.
 * @throws Error when a specification is incomplete or the batch sizes differ.
 */
export function makeInputs(
  where: string,
  inputs: LayerInput | LayerInput[],
  seed: number,
): tf.Tensor[] {
  const list = Array.isArray(inputs) ? inputs : [inputs];
  assert(list.length > 0, () => `${where}: needs at least one input, got none.`);
  const checked = list.map((input, i) =>
    input instanceof tf.Tensor ? input : checkSpec(where, input, i),
  );
  const batches = checked.map(({ shape }) => shape[0]);
  assert(
    batches.every((size) => size === batches[0] && size !== undefined),
    () =>
      `${where}: inputs must share their first axis, the batch, got shapes ` +
      `${checked.map(({ shape }) => shapeText(shape)).join(', ')}.`,
  );
  return checked.map((input, i) =>
    input instanceof tf.Tensor ? tf.clone(input) : makeInput(input, seed, i),
  );
}

function checkSpec(where: string, spec: InputSpec, i: number): InputSpec {
  const name = `inputs[${i}]`;
  assert(
    typeof spec === 'object' && Array.isArray(spec.shape),
    () => `${where}: ${name} must be a tensor or {shape, dtype, max}, got ${describe(spec)}.`,
  );
  assertKnownOptions(where, spec, ['shape', 'dtype', 'max']);
  for (const size of spec.shape) assertInteger(where, `a size in ${name}.shape`, size);
  const { dtype = 'float32', max } = spec;
  assert(
    ['float32', 'int32', 'bool'].includes(dtype),
    () => `${where}: ${name}.dtype must be float32, int32 or bool, got dtype=${describe(dtype)}.`,
  );
  if (max !== undefined && dtype === 'int32') assertInteger(where, `${name}.max`, max);
  else if (max !== undefined) assertNumber(where, `${name}.max`, max, 0);
  return { shape: spec.shape, dtype, max };
}

function makeInput({ shape, dtype, max }: InputSpec, seed: number, call: number): tf.Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  if (dtype === 'int32') {
    const ids = Int32Array.from(uniform(seed, call, count), (u) => Math.floor(u * (max ?? 2)));
    return tf.tensor(ids, shape, 'int32');
  }
  if (dtype === 'bool') {
    return tf.tensor(
      Uint8Array.from(uniform(seed, call, count), (u) => (u < 0.5 ? 0 : 1)),
      shape,
      'bool',
    );
  }
  const values =
    max === undefined
      ? normal(seed, call, count)
      : uniform(seed, call, count).map((u) => (2 * u - 1) * max);
  return tf.tensor(values, shape, 'float32');
}
