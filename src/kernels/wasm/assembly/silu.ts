/** SiLU, x·s with s = sigmoid(x); the formulas of `src/ops/silu.ts`. */
import { madd } from './simd';

/** x·s. x is clipped at −100, where s is 0, so that −∞ gives 0. */
// @inline
export function silu(x: v128, s: v128): v128 {
  return f32x4.mul(f32x4.pmax(x, f32x4.splat(-100)), s);
}

/** s·(1 + x·(1 − s)). */
// @inline
export function siluSlope(x: v128, s: v128): v128 {
  const one = f32x4.splat(1);
  const clipped = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-100)), f32x4.splat(100));
  return f32x4.mul(s, madd(clipped, f32x4.sub(one, s), one));
}
