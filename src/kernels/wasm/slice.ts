/**
 * A part of a tensor, `tf.slice`. TensorFlow.js' own kernel copies the whole tensor out of the backend's memory first,
 * whatever is wanted of it: one row of a position table costs the table.
 */
import * as tf from '@tensorflow/tfjs-core';
import { sizeOf } from '../../util/shapes.js';
import type { KernelCall } from './kernel.js';
import type { Attempt } from './replace_kernel.js';

/** `Slice` of TensorFlow.js, for up to three axes in front of the last one that is cut. */
export const slice: Attempt = (call) => {
  const { x } = call.inputs;
  if (x.dtype === 'string' || x.dtype === 'complex64') return null;
  const { begin, size } = call.attrs as { begin: number[]; size: number[] };
  const [from, sizes] = tf.slice_util.parseSliceParams(x, begin, size);
  tf.slice_util.assertParamsValid(x, from, sizes);
  const last = sizes.map((length, axis) => length !== x.shape[axis]).lastIndexOf(true);
  // The whole is copied too: callers count on data of the slice's own shape (XNNPACK takes the rank of a bias from there).
  return last > 3 ? null : copied(call, x, from, sizes, Math.max(last, 0));
};

/** Copies runs: what is wanted of the last axis that is cut, with all axes behind it. */
function copied(
  call: KernelCall,
  x: tf.TensorInfo,
  from: number[],
  sizes: number[],
  last: number,
): tf.TensorInfo {
  const y = call.output(sizes, x.dtype);
  if (sizeOf(sizes) === 0) return y;
  const bytes = tf.util.bytesPerElement(x.dtype);
  const strides = (shape: number[]): number[] =>
    shape.map((_, axis) => bytes * sizeOf(shape.slice(axis + 1)));
  const [steps, outSteps] = [strides(x.shape), strides(sizes)];
  const start = from.reduce((sum, at, axis) => sum + at * steps[axis], call.pointer(x));
  // The three axes in front of it, 1 long where there are fewer.
  const outer = <T>(of: T[], missing: T): [T, T, T] =>
    [last - 3, last - 2, last - 1].map((axis) => (axis < 0 ? missing : of[axis])) as [T, T, T];
  call.exports.copyRuns(
    start,
    call.pointer(y),
    ...outer(sizes, 1),
    ...outer(steps, 0),
    ...outer(outSteps, 0),
    sizes[last] * steps[last],
  );
  return y;
}
