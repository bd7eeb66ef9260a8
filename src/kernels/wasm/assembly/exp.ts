import { madd } from './simd';
import { loadFirst, storeFirst } from './partial';

/**
 * e^x in each lane: x = n·ln 2 + r with |r| ≤ ln 2 / 2, e^r by a polynomial of degree 6 (minimax, 0.05·2⁻²⁴ off),
 * times 2ⁿ.
 *
 * At most 1.18 ulp off, 0.91 with fused multiply-add: the largest over all float32 whose result is not 0. exp(0) = 1
 * exactly; +∞ from 88.7228394 on; NaN stays NaN. Results below 2^−125.5 = 1.66e-38 (x < −86.99) are 0, never denormal:
 * a denormal costs a hundred cycles, and softmax meets them by the thousand.
 */
// @inline
export function exp(x: v128): v128 {
  // In this order of operands a NaN passes both.
  return expWithin(f32x4.pmin(f32x4.pmax(x, f32x4.splat(-87.5)), f32x4.splat(88.8)));
}

/** {@link exp} where every lane is known to be NaN or at most 0, as in a softmax. */
// @inline
export function expNegative(x: v128): v128 {
  return expWithin(f32x4.pmax(x, f32x4.splat(-87.5)));
}

/** {@link exp} where every lane is known to be NaN or within −87.5 … 88.8. */
// @inline
export function expWithin(x: v128): v128 {
  // Adding 1.5·2²³ rounds to a whole number and leaves it in the low bits, here n + 126: the exponent of 2ⁿ⁻¹. Exponents
  // of floats span −126 … 127 and n spans −126 … 128, so the polynomial has the factor 2, and n = −126 makes 0.
  const t = madd(x, f32x4.splat(1.44269504), f32x4.splat(12583038));
  const n = f32x4.sub(t, f32x4.splat(12583038));
  // ln 2 in two parts; the first has 10 bits, so that its product with n is exact without fusing.
  let r = madd(n, f32x4.splat(-0.693359375), x);
  r = madd(n, f32x4.splat(2.1219444e-4), r);
  let p = f32x4.splat(0.0027642608620226383);
  p = madd(p, r, f32x4.splat(0.01673733815550804));
  p = madd(p, r, f32x4.splat(0.08333651721477508));
  p = madd(p, r, f32x4.splat(0.3333304226398468));
  p = madd(p, r, f32x4.splat(0.9999998807907104));
  p = madd(p, r, f32x4.splat(2));
  p = madd(p, r, f32x4.splat(2));
  return f32x4.mul(p, i32x4.shl(t, 23));
}

/** y[i] = e^x[i] for `size` numbers. */
export function expArray(x: usize, y: usize, size: i32): void {
  const end = x + ((<usize>(size >> 2)) << 4);
  while (x != end) {
    v128.store(y, exp(v128.load(x)));
    x += 16;
    y += 16;
  }
  const rest = size & 3;
  if (rest) storeFirst(y, exp(loadFirst(x, rest)), rest);
}
