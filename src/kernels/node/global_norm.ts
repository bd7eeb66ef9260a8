/** Norm of many tensors as if they were one vector. */
import type { NodeKernel } from './kernel.js';

/** `TransformersGlobalNorm` and its gradient. */
export const globalNormKernels: NodeKernel[] = [
  {
    name: 'TransformersGlobalNorm',
    run: (call) => {
      const count = Object.keys(call.inputs).length;
      return call.graph(`globalNorm ${count}`, call.inputs, (g, tensors) => {
        // L2Loss is Σ x²/2 in one pass.
        const halves = Object.values(tensors).map((x) => g.unary('L2Loss', x));
        return [g.unary('Sqrt', g.mul(g.addN(halves), 2))];
      });
    },
  },
  {
    name: 'TransformersGlobalNormGrad',
    run: (call) => {
      const count = Object.keys(call.inputs).length - 2;
      return call.graph(`globalNormGrad ${count}`, call.inputs, (g, { dy, output, ...tensors }) => {
        const factor = g.div(dy, output);
        return Object.values(tensors).map((x) => g.mul(x, factor));
      });
    },
  },
];
