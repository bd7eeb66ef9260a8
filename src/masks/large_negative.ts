import * as tf from '@tensorflow/tfjs-core';

/**
 * The number that `toBias` writes where a query may not attend: −1e9, or −3e4 where the backend stores 16-bit floats
 * (−1e9 would become −Infinity there, and a row of −Infinity makes NaN). Both are exact in their format, and exp of
 * either is 0.
 *
 * Only WebGL stores 16-bit floats: without `WEBGL_RENDER_FLOAT32_ENABLED`, or with `WEBGL_FORCE_F16_TEXTURES`.
 * (`floatPrecision()` is no help: it answers 16 where float32 is enabled, and can answer 32 where it is not.)
 *
 * @returns −1e9 or −3e4.
 */
export function largeNegative(): number {
  if (tf.getBackend() !== 'webgl') return -1e9; // WebGL's flags may not be registered: asking would throw
  const storesHalf =
    tf.env().getBool('WEBGL_FORCE_F16_TEXTURES') ||
    !tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED');
  return storesHalf ? -3e4 : -1e9;
}
