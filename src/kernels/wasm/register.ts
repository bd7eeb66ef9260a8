/** All kernels of this folder. */
import * as tf from '@tensorflow/tfjs-core';
import { registerWasmKernel, type WasmKernel } from './kernel.js';

import { rmsNormKernels } from './rms_norm.js';

const kernels: WasmKernel[] = [...rmsNormKernels];

/** Registers every kernel that is not registered yet. Importing `tfjs-transformers/wasm` does this. */
export function registerKernels(): void {
  kernels.forEach(registerWasmKernel);
}

/** Takes them back, so that operations run by their references on the wasm backend. */
export function unregisterKernels(): void {
  for (const { name } of kernels) if (tf.getKernel(name, 'wasm')) tf.unregisterKernel(name, 'wasm');
}
