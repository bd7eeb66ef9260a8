/**
 * One step of the optimizer, all weights in one graph. (TensorFlow's own `ResourceApplyAdam` on variables made for the run takes 12
 * ms instead of 20 for 10 million weights, but rounds β₂ to float32 before it takes it from 1: 3·10⁻⁵ of 1 − β₂.)
 */
import type { NodeKernel } from './kernel.js';

/** `TransformersAdamW`: new weights, first moments and second moments of all weights, weight by weight. */
export const adamWUpdateKernels: NodeKernel[] = [
  {
    name: 'TransformersAdamW',
    run: (call) => {
      const { beta1, beta2, rate, epsilon } = call.attrs as Record<string, number>;
      const keeps = call.attrs.keeps as number[];
      const distinct = [...new Set(keeps.filter((keep) => keep !== 1))];
      const which = keeps.map((keep) => distinct.indexOf(keep));
      const feeds = { ...call.inputs, step: { numbers: [rate, epsilon, ...distinct] } };
      const scaled = call.inputs.scale !== undefined;
      const key = `adamW ${beta1} ${beta2} ${scaled} ${which.join()}`;
      return call.graph(key, feeds, (g, i) => {
        const [rate, epsilon, ...keep] = g.unpack(i.step, 2 + distinct.length);
        return which.flatMap((one, n) => {
          const gradient = scaled ? g.mul(i[`gradient${n}`], i.scale) : i[`gradient${n}`];
          const m = g.add(g.mul(i[`first${n}`], beta1), g.mul(gradient, 1 - beta1));
          const square = g.unary('Square', gradient);
          const v = g.add(g.mul(i[`second${n}`], beta2), g.mul(square, 1 - beta2));
          const change = g.div(g.mul(m, rate), g.add(g.unary('Sqrt', v), epsilon));
          const old = one < 0 ? i[`weight${n}`] : g.mul(i[`weight${n}`], keep[one]);
          return [g.sub(old, change), m, v];
        });
      });
    },
  },
];
