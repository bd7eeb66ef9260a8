/**
 * GELU in both forms, as ops/gelu.ts has them. Where a gradient will be asked for, forward keeps the slope: it has most of
 * what that needs, and backward is one product.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { Graph, Value } from './graph.js';
import type { NodeCall, NodeKernel } from './kernel.js';

const CLIP = 20;
const SCALE = Math.sqrt(2 / Math.PI);
const CUBE = 0.044715;

/** `TransformersGelu` and its gradient. */
export const geluKernels: NodeKernel[] = [
  {
    name: 'TransformersGelu',
    variant: (_, attrs) => (attrs.approximate ? 'tanh' : 'exact'),
    run: (call) => {
      const { x } = call.inputs;
      const approximate = call.attrs.approximate as boolean;
      const slope = call.keepsResiduals;
      return call.graph(`gelu ${approximate} ${slope}`, { x }, (g, { x }) =>
        gelu(g, x, approximate, slope),
      );
    },
  },
  {
    name: 'TransformersGeluGrad',
    run: (call) => timesSlope(call),
  },
];

/**
 * The gradient of an activation whose forward pass kept its slope.
 *
 * @param call With `dy` and the slope.
 * @returns dx
 */
export function timesSlope(call: NodeCall): tf.TensorInfo[] {
  const { dy, residual0: slope } = call.inputs;
  return [call.operation('Mul', [dy, slope])];
}

/**
 * GELU of x, and its slope.
 *
 * @param g The graph.
 * @param x Any shape.
 * @param approximate The tanh form.
 * @param withSlope Whether the slope is wanted.
 * @returns x·Φ(x) and, when wanted, Φ(x) + x·Φ′(x).
 */
export function gelu(g: Graph, x: Value, approximate: boolean, withSlope: boolean): Value[] {
  const above = g.op('Maximum', [x, g.constant(-CLIP)]); // −∞·0 would be NaN
  const square = g.mul(x, x);
  const curve = approximate
    ? g.unary('Tanh', g.mul(x, g.add(g.mul(square, SCALE * CUBE), SCALE)))
    : g.unary('Erf', g.mul(x, Math.SQRT1_2));
  const phi = g.add(g.mul(curve, 0.5), 0.5);
  const y = g.mul(above, phi);
  if (!withSlope) return [y];
  const clipped = g.op('Minimum', [above, g.constant(CLIP)]);
  // Φ′ = (1 − tanh² u)·u′/2 in the tanh form, exp(−x²/2)/√(2π) in the exact one
  const xSlope = approximate
    ? g.op('TanhGrad', [
        curve,
        g.mul(clipped, g.add(g.mul(g.mul(clipped, clipped), 1.5 * SCALE * CUBE), SCALE / 2)),
      ])
    : g.mul(g.mul(clipped, 1 / Math.sqrt(2 * Math.PI)), g.unary('Exp', g.mul(square, -0.5)));
  return [y, g.add(phi, xSlope)];
}
