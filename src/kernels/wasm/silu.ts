/** SiLU; nothing is kept for the gradient. */
import { activationForward, activationGradient, kinds } from './activation.js';
import type { WasmKernel } from './kernel.js';

/** `TransformersSilu` and its gradient. */
export const siluKernels: WasmKernel[] = [
  { name: 'TransformersSilu', run: (call) => activationForward(call, kinds.silu) },
  { name: 'TransformersSiluGrad', run: (call) => activationGradient(call, kinds.silu) },
];
