/** SiLU, as ops/silu.ts has it; forward keeps the slope where a gradient will be asked for. */
import { timesSlope } from './gelu.js';
import type { Graph, Value } from './graph.js';
import type { NodeKernel } from './kernel.js';

const CLIP = 100;

/** `TransformersSilu` and its gradient. */
export const siluKernels: NodeKernel[] = [
  {
    name: 'TransformersSilu',
    run: (call) => {
      const slope = call.keepsResiduals;
      return call.graph(`silu ${slope}`, call.inputs, (g, { x }) => silu(g, x, slope));
    },
  },
  { name: 'TransformersSiluGrad', run: timesSlope },
];

/**
 * SiLU of x, and its slope.
 *
 * @param g The graph.
 * @param x Any shape.
 * @param withSlope Whether the slope is wanted.
 * @returns x·s and, when wanted, s·(1 + x·(1 − s)), s = sigmoid(x).
 */
export function silu(g: Graph, x: Value, withSlope: boolean): Value[] {
  const above = g.op('Maximum', [x, g.constant(-CLIP)]); // −∞·0 would be NaN
  const s = g.unary('Sigmoid', x);
  const y = g.mul(above, s);
  if (!withSlope) return [y];
  const clipped = g.op('Minimum', [above, g.constant(CLIP)]);
  return [y, g.add(s, g.op('SigmoidGrad', [s, clipped]))];
}
