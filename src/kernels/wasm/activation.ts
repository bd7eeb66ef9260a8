/** The activations that kernels know, by number, and the kernels of those that are operations of their own. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '../../ops/activation.js';
import { sizeOf } from '../../util/shapes.js';
import type { KernelCall } from './kernel.js';

/** The numbers of assembly/activation.ts. */
export const kinds: Record<Activation, number> = {
  linear: 0,
  relu: 1,
  sigmoid: 2,
  tanh: 3,
  silu: 4,
  gelu: 5,
  geluTanh: 6,
};

/**
 * y = activation(x).
 *
 * @param call With input `x`.
 * @param kind Number of SiLU or a GELU.
 * @returns y.
 */
export function activationForward(call: KernelCall, kind: number): tf.TensorInfo {
  const { x } = call.inputs;
  const y = call.output(x.shape);
  call.exports.activationArray(kind, call.pointer(x), call.pointer(y), sizeOf(x.shape));
  return y;
}

/**
 * dx = dy · activation′(x).
 *
 * @param call With inputs `dy` and `x`.
 * @param kind Number of SiLU or a GELU.
 * @returns dx.
 */
export function activationGradient(call: KernelCall, kind: number): tf.TensorInfo {
  const { dy, x } = call.inputs;
  const dx = call.output(x.shape);
  const [from, at, to] = [dy, x, dx].map((tensor) => call.pointer(tensor));
  call.exports.activationGrad(kind, from, at, to, sizeOf(x.shape));
  return dx;
}
