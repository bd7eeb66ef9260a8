import { storesHalfFloats } from '../util/half_floats.js';

/**
 * The number that `toBias` writes where a query may not attend: −1e9, or −3e4 where the backend stores 16-bit floats
 * (−1e9 would become −Infinity there, and a row of −Infinity makes NaN). Both are exact in their format, and exp of
 * either is 0.
 *
 * Only WebGL stores 16-bit floats: without `WEBGL_RENDER_FLOAT32_ENABLED`, or with `WEBGL_FORCE_F16_TEXTURES`.
 *
 * @returns −1e9 or −3e4.
 */
export function largeNegative(): number {
  return storesHalfFloats() ? -3e4 : -1e9;
}
