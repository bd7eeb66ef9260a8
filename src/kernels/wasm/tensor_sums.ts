/** The sum of each of many tensors. */
import { sizeOf } from '../../util/shapes.js';
import type { WasmKernel } from './kernel.js';

/** `TransformersTensorSums`. */
export const tensorSumsKernels: WasmKernel[] = [
  {
    name: 'TransformersTensorSums',
    run: (call) => {
      const tensors = Object.values(call.inputs);
      const sums = call.output([tensors.length]);
      tensors.forEach((tensor, i) =>
        call.exports.storeNumber(
          call.pointer(sums) + 4 * i,
          call.exports.sumOfElements(call.pointer(tensor), sizeOf(tensor.shape)),
        ),
      );
      return sums;
    },
  },
];
