/** RMS normalisation. Forward keeps r = 1/√(mean(x²) + ε) of each row for the gradient. */
import type * as tf from '@tensorflow/tfjs-core';
import type { KernelCall, WasmKernel } from './kernel.js';
import { areTrailing, rowsAndSize } from './trailing_axes.js';

/** `TransformersRmsNorm` with and without scale, and their gradients. */
export const rmsNormKernels: WasmKernel[] = ['', 'NoScale'].flatMap((variant) => [
  { name: `TransformersRmsNorm${variant}`, supports: areTrailing, run: forward },
  { name: `TransformersRmsNorm${variant}Grad`, run: backward },
]);

function forward(call: KernelCall): tf.TensorInfo[] {
  const { x, scale } = call.inputs;
  const { rows, size } = rowsAndSize(x.shape, call.attrs.axes as number[]);
  const y = call.output(x.shape);
  const inverse = call.output([rows]);
  call.exports.rmsNorm(
    call.pointer(x),
    call.pointer(scale),
    call.pointer(y),
    call.pointer(inverse),
    rows,
    size,
    call.attrs.epsilon as number,
  );
  return [y, inverse];
}

function backward(call: KernelCall): tf.TensorInfo[] {
  const { dy, x, scale, residual0: inverse } = call.inputs;
  const { rows, size } = rowsAndSize(x.shape, call.attrs.axes as number[]);
  const dx = call.output(x.shape);
  const dscale = scale && call.output(scale.shape);
  call.withScratch(4 * size, (scratch) =>
    call.exports.rmsNormGrad(
      call.pointer(x),
      call.pointer(scale),
      call.pointer(dy),
      call.pointer(inverse),
      call.pointer(dx),
      call.pointer(dscale),
      scratch,
      rows,
      size,
    ),
  );
  return dscale ? [dx, dscale] : [dx];
}
