/** GELU, exact and tanh form; nothing is kept for the gradient. */
import { activationForward, activationGradient, kinds } from './activation.js';
import type { KernelCall, WasmKernel } from './kernel.js';

/** `TransformersGelu` and its gradient. */
export const geluKernels: WasmKernel[] = [
  { name: 'TransformersGelu', run: (call) => activationForward(call, kindOf(call)) },
  { name: 'TransformersGeluGrad', run: (call) => activationGradient(call, kindOf(call)) },
];

function kindOf({ attrs }: KernelCall): number {
  return attrs.approximate ? kinds.geluTanh : kinds.gelu;
}
