/** Dropout; the backward pass makes the random numbers again instead of keeping a mask. */
import type * as tf from '@tensorflow/tfjs-core';
import { sizeOf } from '../../util/shapes.js';
import type { KernelCall, WasmKernel } from './kernel.js';

/** `TransformersDropout` and its gradient: the same function of `x` and of `dy`. */
export const dropoutKernels: WasmKernel[] = [
  { name: 'TransformersDropout', run: (call) => drop(call, call.inputs.x) },
  { name: 'TransformersDropoutGrad', run: (call) => drop(call, call.inputs.dy) },
];

const BLOCKS = 128; // bytes of eight blocks of random words
const TWO_32 = 2 ** 32;

function drop(call: KernelCall, x: tf.TensorInfo): tf.TensorInfo {
  const y = call.output(x.shape);
  const rate = call.attrs.rate as number;
  const [seed, counter] = [call.attrs.seed as number, call.attrs.counter as number];
  // u ≥ rate, both multiples of 2⁻²⁴ once rate is rounded up.
  const threshold = Math.ceil(Math.fround(rate) * 2 ** 24);
  call.withScratch(BLOCKS, (scratch) =>
    call.exports.dropout(
      ...([call.pointer(x), call.pointer(y), scratch, sizeOf(x.shape)] as const),
      ...([threshold, 1 / (1 - rate)] as const),
      ...([seed % TWO_32, Math.floor(seed / TWO_32)] as const),
      ...([counter % TWO_32, Math.floor(counter / TWO_32)] as const),
    ),
  );
  return y;
}
