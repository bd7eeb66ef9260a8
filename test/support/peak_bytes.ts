/** How much of the wasm backend's memory a computation takes at its height. */
import * as tf from '@tensorflow/tfjs';
import type { WasmBackend } from '../../src/kernels/wasm/module.js';

/**
 * Runs a function and counts what is allocated in the wasm backend's memory meanwhile: tensors, and scratch of kernels.
 *
 * @param body The computation. What it returns is disposed of.
 * @returns The most bytes that its allocations took at any moment.
 */
export function peakBytes(body: () => tf.TensorContainer): number {
  const { wasm } = tf.backend() as unknown as WasmBackend;
  const { _malloc, _free } = wasm;
  const sizes = new Map<number, number>();
  let now = 0;
  let most = 0;
  wasm._malloc = (bytes) => {
    const pointer = _malloc(bytes);
    sizes.set(pointer, bytes);
    most = Math.max(most, (now += bytes));
    return pointer;
  };
  wasm._free = (pointer) => {
    now -= sizes.get(pointer) ?? 0;
    sizes.delete(pointer);
    _free(pointer);
  };
  try {
    tf.dispose(tf.tidy(body));
  } finally {
    Object.assign(wasm, { _malloc, _free });
  }
  return most;
}
