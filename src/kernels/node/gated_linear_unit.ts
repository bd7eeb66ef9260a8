/** Gated linear units; forward keeps the activated gate and its slope where a gradient will be asked for. */
import type { Activation } from '../../ops/activation.js';
import { activation } from './activation.js';
import type { NodeKernel } from './kernel.js';

/** `TransformersGatedLinearUnit` and its gradient. */
export const gatedLinearUnitKernels: NodeKernel[] = [
  {
    name: 'TransformersGatedLinearUnit',
    variant: (_, attrs) => attrs.activation as string,
    run: (call) => {
      const name = call.attrs.activation as Activation;
      const residuals = call.keepsResiduals;
      const linear = name === 'linear';
      return call.graph(`gatedLinearUnit ${name} ${residuals}`, call.inputs, (g, { gate, up }) => {
        if (linear) return [g.mul(gate, up)];
        const [activated, ...slope] = activation(g, gate, name, residuals);
        const y = g.mul(activated, up);
        return residuals ? [y, activated, ...slope] : [y];
      });
    },
  },
  {
    name: 'TransformersGatedLinearUnitGrad',
    run: (call) => {
      const { dy, gate, up, residual0: activated, residual1: slope } = call.inputs;
      if (!slope) {
        return call.graph('gatedLinearUnitGrad linear', { dy, gate, up }, (g, i) => [
          g.mul(i.dy, i.up),
          g.mul(i.dy, i.gate),
        ]);
      }
      return call.graph('gatedLinearUnitGrad', { dy, up, activated, slope }, (g, i) => [
        g.mul(g.mul(i.dy, i.up), i.slope),
        g.mul(i.dy, i.activated),
      ]);
    },
  },
];
