/** The sum of each of many tensors. */
import type { NodeKernel } from './kernel.js';

/** `TransformersTensorSums`. */
export const tensorSumsKernels: NodeKernel[] = [
  {
    name: 'TransformersTensorSums',
    run: (call) => {
      const count = Object.keys(call.inputs).length;
      return call.graph(`tensorSums ${count}`, { ...call.inputs, flat: [-1] }, (g, i) => {
        const { flat, ...tensors } = i;
        return [
          g.pack(Object.values(tensors).map((x) => g.reduce('Sum', g.reshape(x, flat), [0]))),
        ];
      })[0];
    },
  },
];
