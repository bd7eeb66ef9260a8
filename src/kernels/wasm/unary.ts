/** Faster versions of functions that TensorFlow.js' wasm backend has kernels for itself; `accelerate` replaces those. */
import type * as tf from '@tensorflow/tfjs-core';
import { sizeOf } from '../../util/shapes.js';
import type { KernelCall } from './kernel.js';

/** A kernel that takes over calls of the backend's own. */
export interface UnaryKernel {
  /** Name of the backend's kernel. */
  name: string;
  /** Computes the output; null where the backend's own is to run. */
  attempt: (call: KernelCall) => tf.TensorInfo | null;
}

/**
 * Kernels by the names that TensorFlow.js has for them, each only where it is faster. Measured on one core, million
 * elements a second, with fused multiply-add and without:
 *
 *                           TensorFlow.js    ours, fused    ours, not
 *     Exp                         165           1,790         1,080
 *     Tanh                         60             580           460
 *     Erf                          40             460           320
 *     Sigmoid                     950           1,210           820
 *     Softmax, 1,024 wide       1,130           1,390           970
 *
 * Exp, Tanh and Erf of TensorFlow.js go number by number. Its Sigmoid and Softmax are XNNPACK's, which ours pass only
 * where multiply-add is fused, and which use all threads where there are more.
 */
export const unaryKernels: UnaryKernel[] = [
  { name: 'Exp', attempt: (call) => elementwise(call, 'expArray') },
  { name: 'Tanh', attempt: (call) => elementwise(call, 'tanhArray') },
  { name: 'Erf', attempt: (call) => elementwise(call, 'erfArray') },
  {
    name: 'Sigmoid',
    attempt: (call) => (isFasterThanXnnpack(call) ? elementwise(call, 'sigmoidArray') : null),
  },
  { name: 'Softmax', attempt: (call) => (isFasterThanXnnpack(call) ? softmax(call) : null) },
];

type ArrayFunction = 'expArray' | 'tanhArray' | 'erfArray' | 'sigmoidArray';

function isFasterThanXnnpack({ module }: KernelCall): boolean {
  return module.fused && module.threads === 1;
}

function elementwise(call: KernelCall, name: ArrayFunction): tf.TensorInfo | null {
  const { x } = call.inputs;
  if (x.dtype !== 'float32') return null;
  const y = call.output(x.shape);
  call.exports[name](call.pointer(x), call.pointer(y), sizeOf(x.shape));
  return y;
}

/** Over the last axis, the only one that TensorFlow.js has it for. */
function softmax(call: KernelCall): tf.TensorInfo | null {
  const { logits } = call.inputs;
  if (logits.dtype !== 'float32') return null;
  const y = call.output(logits.shape);
  const size = logits.shape[logits.shape.length - 1] ?? 1;
  const rows = size > 0 ? sizeOf(logits.shape) / size : 0;
  call.exports.softmax(call.pointer(logits), call.pointer(y), rows, size);
  return y;
}
