/** Starting a backend, and how fast it is. */
import wasm from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import wasmSimd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import wasmThreads from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url';
import { backends, training } from 'tfjs-transformers';
import 'tfjs-transformers/wasm'; // fused kernels for the wasm backend
import type { BackendName } from './protocol.js';
import { makeModel, makeOptimizer } from './recipe.js';

/**
 * Starts a backend. Only its own package is loaded.
 *
 * @param name Which one.
 * @param timeout Milliseconds after which the start counts as failed.
 * @returns A sentence about the start.
 */
export async function startBackend(name: BackendName, timeout: number): Promise<string> {
  const { message } = await backends.use(name, {
    timeout,
    wasmPaths: {
      'tfjs-backend-wasm.wasm': wasm,
      'tfjs-backend-wasm-simd.wasm': wasmSimd,
      'tfjs-backend-wasm-threaded-simd.wasm': wasmThreads,
    },
    load: {
      webgpu: () => import('@tensorflow/tfjs-backend-webgpu'),
      webgl: () => import('@tensorflow/tfjs-backend-webgl'),
      wasm: () => import('@tensorflow/tfjs-backend-wasm'),
      cpu: () => import('@tensorflow/tfjs-backend-cpu'),
    },
  });
  return message;
}

/** Steps that are timed; one before them compiles shaders and is not. */
const STEPS = 5;
/** No further step is begun after so many milliseconds. */
const ENOUGH = 1000;

/**
 * Times training steps of the small model, on ids that mean nothing.
 *
 * @returns The median in milliseconds.
 */
export async function measureStep(): Promise<number> {
  const vocabularySize = 64;
  const ids = Array.from({ length: 64 }, (_, i) =>
    Array.from({ length: 13 }, (_, t) => (7 * i + 5 * t) % vocabularySize),
  );
  const model = makeModel('small', { vocabularySize, padId: 0, seed: 1 });
  const optimizer = makeOptimizer('small', STEPS + 1);
  const times: number[] = [];
  const enough = new AbortController();
  let before = performance.now();
  try {
    await training.fit(
      model,
      training.textDataset(ids, { vocabularySize, batchSize: ids.length }),
      {
        optimizer,
        steps: STEPS + 1,
        clipNorm: 1,
        progress: false,
        signal: enough.signal,
        onStep: async ({ step, loss }) => {
          await loss.data(); // waits until the device has done it
          if (step > 1) times.push(performance.now() - before);
          if (step > 1 && times.reduce((sum, time) => sum + time) > ENOUGH) enough.abort();
          before = performance.now();
        },
      },
    );
  } finally {
    optimizer.dispose();
    model.dispose();
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)];
}
