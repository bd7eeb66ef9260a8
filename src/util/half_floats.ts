import * as tf from '@tensorflow/tfjs-core';
import { assert } from './errors.js';

/** Integers up to here exist as 16-bit floats; of those above every second, then every fourth, … */
export const LARGEST_EXACT_INTEGER = 2048;

/** The largest number that is a 16-bit float. */
export const LARGEST_HALF_FLOAT = 65504;

/**
 * Whether the current backend stores 16-bit floats (1 sign, 5 exponent, 10 fraction bits): nothing beyond ±65,504,
 * three decimal digits, integers exact to 2,048. What a shader computes is rounded to that when it is stored.
 *
 * Only WebGL does: without `WEBGL_RENDER_FLOAT32_ENABLED` (most phones), or with `WEBGL_FORCE_F16_TEXTURES`.
 * (`floatPrecision()` is no help: it answers 16 where float32 is enabled, and can answer 32 where it is not.)
 *
 * @returns True where it does.
 */
export function storesHalfFloats(): boolean {
  if (tf.getBackend() !== 'webgl') return false; // WebGL's flags may not be registered: asking would throw
  return (
    tf.env().getBool('WEBGL_FORCE_F16_TEXTURES') ||
    !tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED')
  );
}

/**
 * Refuses numbers of things that the current backend could not tell apart.
 *
 * @param where Name of the function that was called.
 * @param name What is numbered, for example `ids`.
 * @param largest The largest number that can occur.
 * @throws Error where 16-bit floats are stored and the number is above 2,048.
 */
export function assertExactIntegers(where: string, name: string, largest: number): void {
  assert(
    largest <= LARGEST_EXACT_INTEGER || !storesHalfFloats(),
    () =>
      `${where}: this device's WebGL stores 16-bit floats, which tell ${name} apart only up to ` +
      `${LARGEST_EXACT_INTEGER}, got ${name} up to ${largest}. Use another backend, 'webgpu' or 'wasm'.`,
  );
}
