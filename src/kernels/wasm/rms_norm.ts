/** RMS normalisation. Forward keeps r = 1/√(mean(x²) + ε) of each row for the gradient. */
import type { WasmKernel } from './kernel.js';

/** `TransformersRmsNorm`, its variant without scale, and their gradients. */
export const rmsNormKernels: WasmKernel[] = [
  {
    name: 'TransformersRmsNorm',
    supports: ({ x }, { axes }) => (axes as number[]).join() === String(x.shape.length - 1),
    run: (call) => {
      const { x, scale } = call.inputs;
      const size = x.shape[x.shape.length - 1];
      const rows = x.shape.slice(0, -1).reduce((a, b) => a * b, 1);
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
    },
  },
];
