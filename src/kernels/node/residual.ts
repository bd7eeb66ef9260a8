/** x + added. Its gradient computes nothing: two handles on dy. */
import type { NodeKernel } from './kernel.js';

/** `TransformersResidual` and its gradient. */
export const residualKernels: NodeKernel[] = [
  {
    name: 'TransformersResidual',
    run: (call) => call.operation('AddV2', [call.inputs.x, call.inputs.added]),
  },
  {
    name: 'TransformersResidualGrad',
    run: (call) => [call.share(call.inputs.dy), call.share(call.inputs.dy)],
  },
];
