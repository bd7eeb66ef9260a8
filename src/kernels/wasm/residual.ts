/** x + added. Its gradient computes nothing: two handles on dy. */
import { sizeOf } from '../../util/shapes.js';
import type { WasmKernel } from './kernel.js';

/** `TransformersResidual` and its gradient. */
export const residualKernels: WasmKernel[] = [
  {
    name: 'TransformersResidual',
    run: (call) => {
      const { x, added } = call.inputs;
      const sum = call.output(x.shape);
      const [a, b, c] = [x, added, sum].map((tensor) => call.pointer(tensor));
      call.exports.addArrays(a, b, c, sizeOf(x.shape));
      return sum;
    },
  },
  {
    name: 'TransformersResidualGrad',
    run: (call) => [call.share(call.inputs.dy), call.share(call.inputs.dy)],
  },
];
