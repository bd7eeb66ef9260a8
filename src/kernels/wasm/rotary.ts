/** Rotary position embedding; its gradient turns back. */
import type * as tf from '@tensorflow/tfjs-core';
import type { KernelCall, WasmKernel } from './kernel.js';

/** `TransformersRotary` and its gradient. */
export const rotaryKernels: WasmKernel[] = [
  { name: 'TransformersRotary', run: (call) => [turn(call, call.inputs.x, 1)] },
  { name: 'TransformersRotaryGrad', run: (call) => [turn(call, call.inputs.dy, -1)] },
];

function turn(call: KernelCall, x: tf.TensorInfo, sign: number): tf.TensorInfo {
  const { cos, sin } = call.inputs;
  const [batch, length] = x.shape;
  const y = call.output(x.shape);
  call.exports.rotary(
    call.pointer(x),
    call.pointer(cos),
    call.pointer(sin),
    call.pointer(y),
    batch,
    length,
    x.shape.length === 4 ? x.shape[2] : 1,
    x.shape[x.shape.length - 1],
    cos.shape[cos.shape.length - 1],
    cos.shape[0] === 1 ? 0 : 1,
    sign,
  );
  return y;
}
