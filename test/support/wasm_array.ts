/** The kernels' functions of arrays, called on numbers from JavaScript, and how far off their results are. */
import * as tf from '@tensorflow/tfjs';
import { KernelCall } from '../../src/kernels/wasm/kernel.js';
import { moduleOf, type KernelModule, type WasmBackend } from '../../src/kernels/wasm/module.js';

/** The functions that map each number of an array. */
export type ArrayFunction = 'expArray' | 'tanhArray' | 'erfArray' | 'sigmoidArray';

/** The kernels' module on the current backend. */
export function kernelModule(): KernelModule {
  return moduleOf(tf.backend() as unknown as WasmBackend)!;
}

/**
 * Calls a function of the kernels' module on an array.
 *
 * @param name Name of the function.
 * @param values Its input.
 * @returns Its output.
 */
export function mapArray(name: ArrayFunction, values: ArrayLike<number>): Float32Array {
  return tf.tidy(() => {
    const x = tf.tensor1d(Float32Array.from(values));
    const y = tf.tensor1d(new Float32Array(values.length).fill(Math.PI));
    y.dataSync(); // puts it into the backend's memory
    const backend = tf.backend() as unknown as WasmBackend;
    const call = new KernelCall({ x, y }, {}, backend, kernelModule());
    call.exports[name](call.pointer(x), call.pointer(y), values.length);
    return (y.dataSync() as Float32Array).slice();
  });
}

/**
 * float32 numbers from all over the range: every `step`-th bit pattern, so that each exponent has its share.
 *
 * @param step How many bit patterns apart.
 * @param from Least absolute value.
 * @param to Largest absolute value.
 * @returns Numbers of both signs.
 */
export function spreadFloats(step: number, from: number, to: number): Float32Array {
  const [first, last] = new Uint32Array(Float32Array.of(from, to).buffer);
  const count = Math.floor((last - first) / step) + 1;
  const patterns = Uint32Array.from({ length: count }, (_, i) => first + i * step);
  const positive = new Float32Array(patterns.buffer);
  return Float32Array.from({ length: 2 * count }, (_, i) => (i % 2 ? -1 : 1) * positive[i >> 1]);
}

/**
 * The largest error, in units in the last place of the right result.
 *
 * @param x Numbers.
 * @param got What a function made of them.
 * @param truth The same function in float64.
 * @returns The worst place.
 */
export function worstUlps(
  x: Float32Array,
  got: Float32Array,
  truth: (x: number) => number,
): { ulps: number; at: number } {
  const worst = { ulps: 0, at: NaN };
  for (let i = 0; i < x.length; i++) {
    const right = truth(x[i]);
    const ulp = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(right))), -126) - 23);
    const ulps = Math.abs(got[i] - right) / ulp;
    if (!(ulps <= worst.ulps)) Object.assign(worst, { ulps, at: x[i] });
  }
  return worst;
}
