/** The backends that are here, and a `describe` for each of them. */
import * as tf from '@tensorflow/tfjs';
import { backendNames, loadBackend } from './present_backends.js';

export { backendNames };

const withKernels = backendNames.filter((name) => name.startsWith('wasm-'));

/**
 * Runs a suite of the wasm kernels themselves, on each of their builds that is to be tested. A run that names none of
 * them still defines the tests, because a file without tests is an error.
 *
 * @param title Title of the suite.
 * @param body Defines the tests; gets the name of the backend.
 */
export function describeKernels(title: string, body: (backend: string) => void): void {
  for (const backend of withKernels.length > 0 ? withKernels : ['wasm-kernels']) {
    describe(`${title} [${backend}]`, () => {
      beforeAll(async () => {
        await useBackend(backend);
      });
      body(backend);
    });
  }
}

/**
 * Runs a suite of the kernels for tfjs-node, where it is built and asked for. A file without tests is an error, so
 * elsewhere there is one that says so.
 *
 * @param title Title of the suite.
 * @param body Defines the tests.
 */
export function describeNodeKernels(title: string, body: () => void): void {
  const backend = 'tensorflow-kernels';
  if (!backendNames.includes(backend)) {
    test(`${title}: this run has no tfjs-node`, () => {
      expect(backendNames).not.toContain(backend);
    });
    return;
  }
  describe(`${title} [${backend}]`, () => {
    beforeAll(async () => {
      await useBackend(backend);
    });
    body();
  });
}

/**
 * Runs a suite once on every backend that is here.
 *
 * @param title Title of the suite.
 * @param body Defines the tests; gets the name of the backend.
 */
export function describeBackends(title: string, body: (backend: string) => void): void {
  for (const backend of backendNames) {
    describe(`${title} [${backend}]`, () => {
      beforeAll(async () => {
        await useBackend(backend);
      });
      body(backend);
    });
  }
}

/**
 * Makes a backend the current one.
 *
 * @param backend Its name.
 */
export async function useBackend(backend: string): Promise<void> {
  if (!(await tf.setBackend(await loadBackend(backend))))
    throw new Error(`Backend '${backend}' did not start.`);
  await tf.ready();
}

/**
 * Asserts that a function leaves no tensor behind but the ones it returns.
 *
 * @param body Function whose result is disposed of afterwards.
 * @returns Nothing; throws when the number of tensors has changed.
 */
export function expectNoLeak(body: () => tf.TensorContainer): void {
  const before = tf.memory().numTensors;
  tf.dispose(body());
  const after = tf.memory().numTensors;
  if (after !== before) throw new Error(`expectNoLeak: ${after - before} tensors are left behind.`);
}
