/** Layer normalisation. Forward keeps [rows, 3] statistics for the gradient. */
import type * as tf from '@tensorflow/tfjs-core';
import type { KernelCall, WasmKernel } from './kernel.js';
import { areTrailing, rowsAndSize } from './trailing_axes.js';

/** `TransformersLayerNorm` with γ and β, without either and without both, and their gradients. */
export const layerNormKernels: WasmKernel[] = ['', 'NoGamma', 'NoBeta', 'NoGammaNoBeta'].flatMap(
  (variant) => [
    { name: `TransformersLayerNorm${variant}`, supports: areTrailing, run: forward },
    { name: `TransformersLayerNorm${variant}Grad`, run: backward },
  ],
);

function forward(call: KernelCall): tf.TensorInfo[] {
  const { x, gamma, beta } = call.inputs;
  const { rows, size } = rowsAndSize(x.shape, call.attrs.axes as number[]);
  const y = call.output(x.shape);
  const statistics = call.output([rows, 3]);
  call.exports.layerNorm(
    call.pointer(x),
    call.pointer(gamma),
    call.pointer(beta),
    call.pointer(y),
    call.pointer(statistics),
    rows,
    size,
    call.attrs.epsilon as number,
  );
  return [y, statistics];
}

function backward(call: KernelCall): tf.TensorInfo[] {
  const { dy, x, gamma, beta, residual0: statistics } = call.inputs;
  const { rows, size } = rowsAndSize(x.shape, call.attrs.axes as number[]);
  const dx = call.output(x.shape);
  const dgamma = gamma && call.output(gamma.shape);
  const dbeta = beta && call.output(beta.shape);
  call.withScratch(8 * size, (scratch) =>
    call.exports.layerNormGrad(
      call.pointer(x),
      call.pointer(gamma),
      call.pointer(dy),
      call.pointer(statistics),
      call.pointer(dx),
      call.pointer(dgamma),
      call.pointer(dbeta),
      scratch,
      rows,
      size,
    ),
  );
  return [dx, ...(dgamma ? [dgamma] : []), ...(dbeta ? [dbeta] : [])];
}
