/** Soft cap; forward keeps the slope where a gradient will be asked for. */
import { timesSlope } from './gelu.js';
import type { NodeKernel } from './kernel.js';

/** `TransformersSoftCap` and its gradient. */
export const softCapKernels: NodeKernel[] = [
  {
    name: 'TransformersSoftCap',
    run: (call) => {
      const cap = call.attrs.cap as number;
      const residuals = call.keepsResiduals;
      return call.graph(`softCap ${cap} ${residuals}`, call.inputs, (g, { x }) => {
        const curve = g.unary('Tanh', g.div(x, cap));
        const y = g.mul(curve, cap);
        return residuals ? [y, g.sub(1, g.mul(curve, curve))] : [y];
      });
    },
  },
  { name: 'TransformersSoftCapGrad', run: timesSlope },
];
