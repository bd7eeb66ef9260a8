/** genai-nanogpt: brings its own copy of TensorFlow.js, for WebGPU and WebGL in a browser. */

/**
 * Imports it, which fails in Node as of 1.3.0.
 *
 * @returns Never: there is no step to take with it in Node.
 * @throws Error with what the import says, or that it has no step for our weights.
 */
export async function nanogpt(): Promise<never> {
  const name: string = '@genai-fi/nanogpt';
  await import(name);
  throw new Error('it loads by now: write its step');
}
