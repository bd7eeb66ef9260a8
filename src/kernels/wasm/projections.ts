/** Several affine maps of one input. */
import type * as tf from '@tensorflow/tfjs-core';
import type { KernelCall, WasmKernel } from './kernel.js';
import { affine, gradients } from './linear.js';

/** `TransformersProjections` and its gradient. */
export const projectionsKernels: WasmKernel[] = [
  { name: 'TransformersProjections', run: forward },
  { name: 'TransformersProjectionsGrad', run: backward },
];

/** x [..., D] → [..., ...E] by each map. */
function forward(call: KernelCall): tf.TensorInfo[] {
  return numbers(call).map((i) => affine(call, call.inputs[`kernel${i}`], call.inputs[`bias${i}`]));
}

function backward(call: KernelCall): tf.TensorInfo[] {
  const maps = numbers(call).map((i) => ({
    kernel: call.inputs[`kernel${i}`],
    bias: call.inputs[`bias${i}`],
    dy: call.inputs[`dy${i}`],
    slope: undefined,
  }));
  return gradients(call, maps);
}

function numbers({ attrs }: KernelCall): number[] {
  return Array.from({ length: attrs.count as number }, (_, i) => i);
}
