/** A kernel of ours in the place of one of the wasm backend's own. */
import * as tf from '@tensorflow/tfjs-core';
import { assert } from '../../util/errors.js';
import { KernelCall, type Inputs } from './kernel.js';
import { moduleOf, type WasmBackend } from './module.js';

const BACKEND = 'wasm';

/** Computes what a kernel returns; null leaves the call to the original. */
export type Attempt = (call: KernelCall) => tf.TensorInfo | tf.TensorInfo[] | null;

/**
 * Registers a kernel of ours over the backend's own. The original keeps its set-up and gets what ours does not take.
 *
 * @param kernelName Name in TensorFlow.js' registry.
 * @param attempt The kernel.
 * @returns A function that puts the original back, unless somebody else has registered over ours.
 * @throws Error when the wasm backend has not been imported.
 */
export function replaceKernel(kernelName: string, attempt: Attempt): () => void {
  const original = tf.getKernel(kernelName, BACKEND);
  assert(
    original !== undefined,
    () =>
      `tfjs-transformers/wasm: the wasm backend must have been imported, got no kernel ${kernelName}. ` +
      "Import '@tensorflow/tfjs-backend-wasm' first.",
  );
  const ours: tf.KernelConfig = {
    ...original,
    kernelFunc: (params) => {
      const backend = params.backend as WasmBackend;
      const module = moduleOf(backend);
      if (!module) return original.kernelFunc(params);
      const inputs = params.inputs as unknown as Inputs;
      const result = attempt(new KernelCall(inputs, params.attrs ?? {}, backend, module));
      return result ?? original.kernelFunc(params);
    },
  };
  register(ours);
  return () => {
    if (tf.getKernel(kernelName, BACKEND) === ours) register(original);
  };
}

/** Registers a kernel over the one of that name, without TensorFlow.js' warning. */
function register(kernel: tf.KernelConfig): void {
  tf.unregisterKernel(kernel.kernelName, BACKEND);
  tf.registerKernel(kernel);
}
