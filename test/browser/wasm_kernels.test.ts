/** Which of TensorFlow.js' wasm builds a page gets, and that our kernels work in the memory of each. */
import * as tf from '@tensorflow/tfjs';
import { moduleOf, type WasmBackend } from '../../src/kernels/wasm/module.js';
import { describeKernels } from '../support/backends.js';

describeKernels('the wasm backend of a page', (name) => {
  const isolated = name === 'wasm-isolated';
  const backend = (): WasmBackend => tf.backend() as unknown as WasmBackend;

  test('has threads and shared memory where the page is cross-origin isolated', () => {
    expect(crossOriginIsolated).toBe(isolated);
    expect(moduleOf(backend())!.threads).toBe(isolated ? 2 : 1);
    const { constructor } = Object.getPrototypeOf(backend().wasm.HEAPU8.buffer) as object;
    expect(constructor.name).toBe(isolated ? 'SharedArrayBuffer' : 'ArrayBuffer');
  });

  test('runs the build with fused multiply-add, which Chromium has', () => {
    expect(moduleOf(backend())!.fused).toBe(true);
  });
});
