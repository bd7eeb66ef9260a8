/** Takes the place of test/support/present_backends.ts in a page: the one backend that the address names. */
import * as tf from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { FLOAT16, FLOAT32, setPrecision } from '../support/precision.js';

/**
 * Name of the backend in titles; `webgl-f16` is webgl with 16-bit textures. `wasm-page` and `wasm-isolated` are wasm
 * with our kernels, in an ordinary page and in one that is cross-origin isolated, where TensorFlow.js takes threads.
 */
const backend = new URLSearchParams(location.search).get('backend')!;

export const backendNames: string[] = [backend];

/**
 * Sets the flags that a backend needs to be set before it starts.
 *
 * @param name Its name in titles of tests.
 * @returns Its name in TensorFlow.js.
 */
export async function loadBackend(name: string): Promise<string> {
  const half = name === 'webgl-f16';
  setPrecision(half ? FLOAT16 : FLOAT32);
  if (name.startsWith('webgl')) {
    // Small tensors would be computed by the cpu backend, and no shader would be tested.
    tf.env().set('WEBGL_CPU_FORWARD', false);
    tf.env().set('WEBGL_FORCE_F16_TEXTURES', half);
  }
  if (name.startsWith('wasm')) {
    setWasmPaths('/wasm/');
    (await import('tfjs-transformers/wasm')).registerKernels();
    return 'wasm';
  }
  return half ? 'webgl' : name;
}
