/** Root-mean-square normalisation. Forward keeps x̂ and 1/√(mean(x²) + ε) of each row for the gradient. */
import type * as tf from '@tensorflow/tfjs-core';
import { areTrailing, rowsAndSize } from '../wasm/trailing_axes.js';
import type { NodeCall, NodeKernel } from './kernel.js';

/** `TransformersRmsNorm` with and without scale, and their gradients. */
export const rmsNormKernels: NodeKernel[] = ['', 'NoScale'].flatMap((variant) => [
  { name: `TransformersRmsNorm${variant}`, supports: areTrailing, run: forward },
  { name: `TransformersRmsNorm${variant}Grad`, run: backward },
]);

function forward(call: NodeCall): tf.TensorInfo[] {
  const { x, scale } = call.inputs;
  const { axes, epsilon } = call.attrs as { axes: number[]; epsilon: number };
  const { rows, size } = rowsAndSize(x.shape, axes);
  const given = { x, matrix: [rows, size], shape: x.shape };
  const feeds = scale ? { ...given, scale, row: [size] } : given;
  const residuals = call.keepsResiduals;
  return call.graph(`rmsNorm ${!!scale} ${epsilon} ${residuals}`, feeds, (g, i) => {
    const matrix = g.reshape(i.x, i.matrix);
    const square = g.reduce('Mean', g.unary('Square', matrix), [1], true);
    const inverse = g.unary('Rsqrt', g.add(square, epsilon));
    const normal = g.mul(matrix, inverse);
    const y = g.reshape(scale ? g.mul(normal, g.reshape(i.scale, i.row)) : normal, i.shape);
    return residuals ? [y, normal, inverse] : [y];
  });
}

/** dx = r·(g − x̂·mean(g·x̂)), g = dy·scale. */
function backward(call: NodeCall): tf.TensorInfo[] {
  const { dy, scale, residual0: normal, residual1: inverse } = call.inputs;
  const { rows, size } = rowsAndSize(dy.shape, call.attrs.axes as number[]);
  const given = { dy, normal, inverse, matrix: [rows, size], shape: dy.shape };
  const feeds = scale ? { ...given, scale, row: [size], parameter: scale.shape } : given;
  return call.graph(`rmsNormGrad ${!!scale}`, feeds, (g, i) => {
    const dy = g.reshape(i.dy, i.matrix);
    const dNormal = scale ? g.mul(dy, g.reshape(i.scale, i.row)) : dy;
    const slope = g.reduce('Mean', g.mul(dNormal, i.normal), [1], true);
    const dx = g.mul(g.sub(dNormal, g.mul(i.normal, slope)), i.inverse);
    if (!scale) return [g.reshape(dx, i.shape)];
    const dScale = g.op('BiasAddGrad', [g.mul(dy, i.normal)]);
    return [g.reshape(dx, i.shape), g.reshape(dScale, i.parameter)];
  });
}
