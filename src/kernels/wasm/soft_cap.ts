/** Soft cap; nothing is kept for the gradient. */
import { sizeOf } from '../../util/shapes.js';
import type { WasmKernel } from './kernel.js';

/** `TransformersSoftCap` and its gradient. */
export const softCapKernels: WasmKernel[] = [
  {
    name: 'TransformersSoftCap',
    run: (call) => {
      const { x } = call.inputs;
      const y = call.output(x.shape);
      const [from, to] = [x, y].map((tensor) => call.pointer(tensor));
      call.exports.softCapArray(from, to, sizeOf(x.shape), call.attrs.cap as number);
      return y;
    },
  },
  {
    name: 'TransformersSoftCapGrad',
    run: (call) => {
      const { dy, x } = call.inputs;
      const dx = call.output(x.shape);
      const [from, at, to] = [dy, x, dx].map((tensor) => call.pointer(tensor));
      call.exports.softCapGrad(from, at, to, sizeOf(x.shape), call.attrs.cap as number);
      return dx;
    },
  },
];
