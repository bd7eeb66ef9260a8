/** Cross-entropy of integer labels; forward keeps two numbers a row for the gradient, never a row of probabilities. */
import { sizeOf } from '../../util/shapes.js';
import type { WasmKernel } from './kernel.js';

/** `TransformersSparseSoftmaxCrossEntropy` and its gradient. */
export const sparseSoftmaxCrossEntropyKernels: WasmKernel[] = [
  {
    name: 'TransformersSparseSoftmaxCrossEntropy',
    run: (call) => {
      const { logits, labels } = call.inputs;
      const rows = sizeOf(labels.shape);
      const losses = call.output(labels.shape);
      const statistics = call.output([rows, 2]);
      const pointers = [logits, labels, losses, statistics].map((tensor) => call.pointer(tensor));
      call.exports.sparseSoftmaxCrossEntropy(
        ...(pointers as [number, number, number, number]),
        rows,
        logits.shape[logits.shape.length - 1],
        call.attrs.ignoreIndex as number,
        call.attrs.labelSmoothing as number,
      );
      return [losses, statistics];
    },
  },
  {
    name: 'TransformersSparseSoftmaxCrossEntropyGrad',
    run: (call) => {
      const { dy, logits, labels, residual0: statistics } = call.inputs;
      const dLogits = call.output(logits.shape);
      const tensors = [dy, logits, labels, statistics, dLogits];
      const pointers = tensors.map((tensor) => call.pointer(tensor));
      call.exports.sparseSoftmaxCrossEntropyGrad(
        ...(pointers as [number, number, number, number, number]),
        sizeOf(labels.shape),
        logits.shape[logits.shape.length - 1],
        call.attrs.ignoreIndex as number,
        call.attrs.labelSmoothing as number,
      );
      return dLogits;
    },
  },
];
