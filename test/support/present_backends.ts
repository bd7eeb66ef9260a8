/** Which backends this process can run, and what each needs before it can be set. The browser has its own such file. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';

/** tfjs-node counts as present when its native binding has been built (`npm run native`). */
function nativeIsBuilt(): boolean {
  try {
    const folder = dirname(require.resolve('@tensorflow/tfjs-node/package.json'));
    // Node-API 8 is the newest that tfjs-node 4.22 knows, so every Node from 20 on takes this file.
    return existsSync(join(folder, 'lib', 'napi-v8', 'tfjs_binding.node'));
  } catch {
    return false;
  }
}

const present = [
  ...['cpu', 'wasm', 'wasm-kernels', 'wasm-relaxed'],
  ...(nativeIsBuilt() ? ['tensorflow', 'tensorflow-kernels'] : []),
];
const only = process.env.TEST_BACKENDS?.split(',');

for (const name of only ?? []) {
  if (present.includes(name)) continue;
  const advice = name.startsWith('tensorflow')
    ? 'Run: npm run native'
    : `Known: ${present.join(', ')}.`;
  throw new Error(`TEST_BACKENDS: backend '${name}' is not here. ${advice}`);
}

/**
 * Names of the backends to test: `cpu`; `wasm` by the composed references and, as `wasm-kernels`, by the kernels of
 * tfjs-transformers/wasm; when built, `tensorflow` and `tensorflow-kernels` likewise, by tfjs-transformers/node. TEST_BACKENDS=wasm,… narrows it. `wasm-relaxed`, the kernels with
 * fused multiply-add, runs only when it is asked for: it switches a flag of V8 that stays on.
 */
export const backendNames: string[] = only ?? present.filter((name) => name !== 'wasm-relaxed');

/**
 * Loads what a backend needs before it can be set.
 *
 * @param backend Its name in titles of tests.
 * @returns Its name in TensorFlow.js.
 */
export async function loadBackend(backend: string): Promise<string> {
  if (backend.startsWith('tensorflow')) {
    if (tf.findBackend('tensorflow') === null) await import('./load_native.js');
    const kernels = await import('tfjs-transformers/node');
    if (backend === 'tensorflow') kernels.unregisterKernels();
    else kernels.registerKernels();
    return 'tensorflow';
  }
  if (!backend.startsWith('wasm')) return backend;
  if (backend === 'wasm-relaxed') setFlagsFromString('--experimental-wasm-relaxed-simd');
  const kernels = await import('tfjs-transformers/wasm');
  if (backend === 'wasm') kernels.unregisterKernels();
  else kernels.registerKernels();
  return 'wasm';
}
