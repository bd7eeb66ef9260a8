/** GELU, x·Φ(x), in its exact and its tanh form; the formulas of `src/ops/gelu.ts`. */
import { exp } from './exp';
import { sigmoid } from './sigmoid';
import { madd } from './simd';

/** −∞·0 would be NaN; beyond 20 both Φ and its slope are constant in float32. NaN passes. */
// @inline
function clip(x: v128): v128 {
  return f32x4.pmin(f32x4.pmax(x, f32x4.splat(-20)), f32x4.splat(20));
}

/** e^(−x²/2). */
// @inline
export function bell(x: v128): v128 {
  return exp(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5)));
}

/**
 * Φ of the exact form: e^(−x²/2)·t·P(t) with t = 1/(1 + 0.3·|x|) is Φ(−|x|), 2.5·2⁻²⁴ off (minimax over 0 … 14; the
 * form is Abramowitz and Stegun's 7.1.26). The exponential is the one that the slope needs; and unlike 1 + erf, the
 * tail on the left loses no digits.
 */
// @inline
export function phi(x: v128, bell: v128): v128 {
  const one = f32x4.splat(1);
  const t = f32x4.div(one, madd(f32x4.abs(x), f32x4.splat(0.3), one));
  let p = f32x4.splat(0.03567522019147873);
  p = madd(p, t, f32x4.splat(-0.1572047919034958));
  p = madd(p, t, f32x4.splat(0.2063562124967575));
  p = madd(p, t, f32x4.splat(-0.05368594452738762));
  p = madd(p, t, f32x4.splat(0.12856273353099823));
  p = madd(p, t, f32x4.splat(0.09991319477558136));
  p = madd(p, t, f32x4.splat(0.12075400352478027));
  p = madd(p, t, f32x4.splat(0.11962930113077164));
  const tail = f32x4.mul(f32x4.mul(p, t), bell);
  return v128.bitselect(tail, f32x4.sub(one, tail), f32x4.lt(x, f32x4.splat(0)));
}

/** Φ of the tanh form, (1 + tanh u)/2 = sigmoid(2u) with u = √(2/π)·(x + 0.044715·x³). */
// @inline
export function tanhPhi(x: v128): v128 {
  const square = f32x4.mul(x, x);
  const inner = madd(square, f32x4.splat(0.07135481282553006), f32x4.splat(1.5957691216057308));
  return sigmoid(f32x4.mul(x, inner));
}

/** x·Φ(x), both forms. */
// @inline
export function gelu(x: v128, phi: v128): v128 {
  return f32x4.mul(f32x4.pmax(x, f32x4.splat(-20)), phi);
}

/** Φ(x) + x·Φ′(x), exact form: Φ′(x) = e^(−x²/2)/√(2π). */
// @inline
export function geluSlope(x: v128, phi: v128, bell: v128): v128 {
  return madd(clip(x), f32x4.mul(bell, f32x4.splat(0.3989422804014327)), phi);
}

/** Φ(x) + x·Φ′(x), tanh form: Φ′ = Φ·(1 − Φ)·2u′. */
// @inline
export function geluTanhSlope(x: v128, phi: v128): v128 {
  const c = clip(x);
  const square = f32x4.mul(c, c);
  const inner = madd(square, f32x4.splat(0.21406443847659018), f32x4.splat(1.5957691216057308));
  const density = f32x4.mul(f32x4.mul(phi, f32x4.sub(f32x4.splat(1), phi)), inner);
  return madd(c, density, phi);
}
