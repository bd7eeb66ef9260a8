/** Norm of many tensors as if they were one vector. */
import { sizeOf } from '../../util/shapes.js';
import type { WasmKernel } from './kernel.js';

/** `TransformersGlobalNorm` and its gradient; the inputs are summed in the order in which they are given. */
export const globalNormKernels: WasmKernel[] = [
  {
    name: 'TransformersGlobalNorm',
    run: (call) => {
      let total = 0;
      for (const tensor of Object.values(call.inputs))
        total += call.exports.sumOfSquares(call.pointer(tensor), sizeOf(tensor.shape));
      const norm = call.output([]);
      call.exports.storeNumber(call.pointer(norm), Math.sqrt(total));
      return norm;
    },
  },
  {
    name: 'TransformersGlobalNormGrad',
    run: (call) => {
      const { dy, output, ...tensors } = call.inputs;
      return Object.values(tensors).map((x) => {
        const dx = call.output(x.shape);
        call.exports.globalNormGrad(
          call.pointer(x),
          call.pointer(dx),
          sizeOf(x.shape),
          call.pointer(dy),
          call.pointer(output),
        );
        return dx;
      });
    },
  },
];
