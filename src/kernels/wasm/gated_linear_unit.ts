/** Gated linear unit; the backward pass computes the activation again and gives both gradients in one pass. */
import type { Activation } from '../../ops/activation.js';
import { sizeOf } from '../../util/shapes.js';
import { kinds } from './activation.js';
import type { KernelCall, WasmKernel } from './kernel.js';

/** `TransformersGatedLinearUnit` and its gradient. */
export const gatedLinearUnitKernels: WasmKernel[] = [
  {
    name: 'TransformersGatedLinearUnit',
    run: (call) => {
      const { gate, up } = call.inputs;
      const y = call.output(gate.shape);
      const [g, u, out] = [gate, up, y].map((tensor) => call.pointer(tensor));
      call.exports.gatedLinearUnit(kindOf(call), g, u, out, sizeOf(gate.shape));
      return y;
    },
  },
  {
    name: 'TransformersGatedLinearUnitGrad',
    run: (call) => {
      const { dy, gate, up } = call.inputs;
      const dGate = call.output(gate.shape);
      const dUp = call.output(up.shape);
      const [d, g, u, dg, du] = [dy, gate, up, dGate, dUp].map((tensor) => call.pointer(tensor));
      call.exports.gatedLinearUnitGrad(kindOf(call), d, g, u, dg, du, sizeOf(gate.shape));
      return [dGate, dUp];
    },
  },
];

function kindOf({ attrs }: KernelCall): number {
  return kinds[attrs.activation as Activation];
}
