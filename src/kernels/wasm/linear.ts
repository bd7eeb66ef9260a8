/** The affine map y = x·W + b on flattened rows, and its gradient: dx = dy·Wᵀ, dW = xᵀ·dy, db = Σ dy. */
import type * as tf from '@tensorflow/tfjs-core';
import type { KernelCall, WasmKernel } from './kernel.js';
import { matmul } from './matmul.js';

/** `TransformersLinear`, its variant without bias, and their gradients. */
export const linearKernels: WasmKernel[] = [
  { name: 'TransformersLinear', run: forward },
  { name: 'TransformersLinearNoBias', run: forward },
  { name: 'TransformersLinearGrad', run: gradient },
  { name: 'TransformersLinearNoBiasGrad', run: gradient },
];

/** x [..., D], kernel [D, E], bias [E] → [..., E]. */
function forward(call: KernelCall): tf.TensorInfo {
  const { x, kernel, bias } = call.inputs;
  const [D, E] = kernel.shape;
  const y = call.output([...x.shape.slice(0, -1), E]);
  matmul(call, {
    ...{ a: call.pointer(x), b: call.pointer(kernel), c: call.pointer(y) },
    ...{ m: rowsOf(x), n: E, k: D, bias: call.pointer(bias) },
  });
  return y;
}

/** dy [..., E] → dx [..., D], dW [D, E] and, where there is a bias, db [E]. */
function gradient(call: KernelCall): tf.TensorInfo[] {
  const { dy, x, kernel, bias } = call.inputs;
  const [D, E] = kernel.shape;
  const rows = rowsOf(x);
  const dx = call.output(x.shape);
  const dW = call.output([D, E]);
  matmul(call, {
    ...{ a: call.pointer(dy), b: call.pointer(kernel), c: call.pointer(dx) },
    ...{ m: rows, n: D, k: E, transposeB: true },
  });
  matmul(call, {
    ...{ a: call.pointer(x), b: call.pointer(dy), c: call.pointer(dW) },
    ...{ m: D, n: E, k: rows, transposeA: true },
  });
  if (!bias) return [dx, dW];
  const db = call.output([E]);
  call.exports.columnSums(call.pointer(dy), rows, E, call.pointer(db));
  return [dx, dW, db];
}

function rowsOf({ shape }: tf.TensorInfo): number {
  return shape.slice(0, -1).reduce((a, b) => a * b, 1);
}
