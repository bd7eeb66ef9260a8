/** Products of two tensors along named axes, as products of matrices: TensorFlow.js' einsum has no gradient. */
import * as tf from '@tensorflow/tfjs-core';
import { assert, describe } from '../util/errors.js';
import { shapeText, sizeOf } from '../util/shapes.js';

/**
 * Σ x·y over the axes that the output does not have.
 *
 * @param x A tensor.
 * @param xAxes Names of its axes.
 * @param y A tensor.
 * @param yAxes Names of its axes.
 * @param output Names of the axes of the result.
 * @returns The result.
 */
export function contract(
  x: tf.Tensor,
  xAxes: readonly string[],
  y: tf.Tensor,
  yAxes: readonly string[],
  output: readonly string[],
): tf.Tensor {
  const sizes = new Map([
    ...xAxes.map((axis, i) => [axis, x.shape[i]] as const),
    ...yAxes.map((axis, i) => [axis, y.shape[i]] as const),
  ]);
  const left = summed(x, xAxes, (axis) => yAxes.includes(axis) || output.includes(axis));
  const right = summed(y, yAxes, (axis) => xAxes.includes(axis) || output.includes(axis));
  const both = left.axes.filter((axis) => right.axes.includes(axis));
  const batch = both.filter((axis) => output.includes(axis));
  const contracted = both.filter((axis) => !output.includes(axis));
  const rows = left.axes.filter((axis) => !both.includes(axis));
  const columns = right.axes.filter((axis) => !both.includes(axis));
  const size = (axes: readonly string[]): number => sizeOf(axes.map((axis) => sizes.get(axis)!));
  const matrix = ({ tensor, axes }: Named, ...groups: string[][]): tf.Tensor => {
    const order = groups.flat().map((axis) => axes.indexOf(axis));
    return tf.reshape(transposed(tensor, order), groups.map(size));
  };
  const product = tf.matMul(
    matrix(left, batch, rows, contracted),
    matrix(right, batch, contracted, columns),
  );
  const made = [...batch, ...rows, ...columns];
  const shaped = tf.reshape(
    product,
    made.map((axis) => sizes.get(axis)!),
  );
  return transposed(
    shaped,
    output.map((axis) => made.indexOf(axis)),
  );
}

interface Named {
  tensor: tf.Tensor;
  axes: readonly string[];
}

function transposed(x: tf.Tensor, order: readonly number[]): tf.Tensor {
  return order.every((axis, i) => axis === i) ? x : tf.transpose(x, [...order]);
}

/** Sums over the axes that nothing else has. */
function summed(x: tf.Tensor, axes: readonly string[], isNeeded: (axis: string) => boolean): Named {
  const lost = axes.flatMap((axis, i) => (isNeeded(axis) ? [] : [i]));
  if (lost.length === 0) return { tensor: x, axes };
  return { tensor: tf.sum(x, lost), axes: axes.filter(isNeeded) };
}

/**
 * numpy.einsum for one or two tensors, every axis of each named once.
 *
 * @param equation For example `bqd,bkd->bqk`.
 * @param tensors One tensor or two.
 * @returns The result.
 */
export function einsum(equation: string, tensors: readonly tf.Tensor[]): tf.Tensor {
  const [inputs, output, ...more] = equation.replace(/\s/g, '').split('->') as (
    string | undefined
  )[];
  const sides = inputs!.split(',').map((side) => Array.from(side));
  const plain = [...sides, Array.from(output ?? '')].every(
    (side) => new Set(side).size === side.length && side.every((axis) => /[A-Za-z]/.test(axis)),
  );
  assert(
    output !== undefined && more.length === 0 && plain && [1, 2].includes(sides.length),
    () =>
      `einsum: only equations of one or two tensors with named axes are supported, such as 'abc,cd->abd', ` +
      `got ${describe(equation)}.`,
  );
  assert(
    sides.length === tensors.length && sides.every((side, i) => side.length === tensors[i].rank),
    () =>
      `einsum: ${equation} does not fit tensors of shapes ${tensors.map(({ shape }) => shapeText(shape)).join(' and ')}.`,
  );
  const [x, y = tf.scalar(1)] = tensors;
  return contract(x, sides[0], y, sides[1] ?? [], Array.from(output));
}
