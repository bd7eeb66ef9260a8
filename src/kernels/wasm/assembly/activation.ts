/** Activations by number, for the kernels that have one inside; each number must be known when they are compiled. */
import { bell, gelu, geluSlope, geluTanhSlope, phi, tanhPhi } from './gelu';
import { loadFirst, storeFirst } from './partial';
import { sigmoid } from './sigmoid';
import { silu, siluSlope } from './silu';
import { tanh } from './tanh';

/** The numbers; `src/kernels/wasm/activation.ts` gives them out. */
export const LINEAR = 0;
export const RELU = 1;
export const SIGMOID = 2;
export const TANH = 3;
export const SILU = 4;
export const GELU = 5;
export const GELU_TANH = 6;

/**
 * What an activation and its derivative have in common, in two steps; the engine doesn't find it by itself. The first is
 * the exponential of the exact GELU, or nothing.
 */
// @inline
export function firstPart(kind: i32, x: v128): v128 {
  return kind == GELU ? bell(x) : x;
}

/** The second part: Φ of the GELUs, the sigmoid, or the hyperbolic tangent. */
// @inline
export function secondPart(kind: i32, x: v128, first: v128): v128 {
  if (kind == SIGMOID || kind == SILU) return sigmoid(x);
  if (kind == TANH) return tanh(x);
  if (kind == GELU) return phi(x, first);
  if (kind == GELU_TANH) return tanhPhi(x);
  return x;
}

/** The activation in each lane, from its second part. */
// @inline
export function valueOf(kind: i32, x: v128, second: v128): v128 {
  if (kind == RELU) return f32x4.pmax(x, f32x4.splat(0));
  if (kind == SILU) return silu(x, second);
  if (kind == GELU || kind == GELU_TANH) return gelu(x, second);
  return second;
}

/** Its derivative, from both parts. */
// @inline
export function slopeOf(kind: i32, x: v128, first: v128, second: v128): v128 {
  const one = f32x4.splat(1);
  if (kind == RELU) return v128.and(f32x4.gt(x, f32x4.splat(0)), one);
  if (kind == SIGMOID) return f32x4.mul(second, f32x4.sub(one, second));
  if (kind == TANH) return f32x4.sub(one, f32x4.mul(second, second));
  if (kind == SILU) return siluSlope(x, second);
  if (kind == GELU) return geluSlope(x, second, first);
  if (kind == GELU_TANH) return geluTanhSlope(x, second);
  return one;
}

/** The activation in each lane. */
// @inline
export function activate(kind: i32, x: v128): v128 {
  return valueOf(kind, x, secondPart(kind, x, firstPart(kind, x)));
}

/** Its derivative at x. */
// @inline
export function slope(kind: i32, x: v128): v128 {
  const first = firstPart(kind, x);
  return slopeOf(kind, x, first, secondPart(kind, x, first));
}

// @inline
function forward(kind: i32, x: usize, y: usize, size: i32): void {
  const end = x + ((<usize>(size >> 2)) << 4);
  while (x != end) {
    v128.store(y, activate(kind, v128.load(x)));
    x += 16;
    y += 16;
  }
  const rest = size & 3;
  if (rest) storeFirst(y, activate(kind, loadFirst(x, rest)), rest);
}

// @inline
function backward(kind: i32, dy: usize, x: usize, dx: usize, size: i32): void {
  const end = x + ((<usize>(size >> 2)) << 4);
  while (x != end) {
    v128.store(dx, f32x4.mul(v128.load(dy), slope(kind, v128.load(x))));
    dy += 16;
    x += 16;
    dx += 16;
  }
  const rest = size & 3;
  if (rest) storeFirst(dx, f32x4.mul(loadFirst(dy, rest), slope(kind, loadFirst(x, rest))), rest);
}

// @inline
function both(kind: i32, x: usize, y: usize, slopes: usize, size: i32): void {
  const end = x + ((<usize>(size >> 2)) << 4);
  while (x != end) {
    const value = v128.load(x);
    const first = firstPart(kind, value);
    const second = secondPart(kind, value, first);
    v128.store(y, valueOf(kind, value, second));
    v128.store(slopes, slopeOf(kind, value, first, second));
    x += 16;
    y += 16;
    slopes += 16;
  }
  const rest = size & 3;
  if (rest) {
    const value = loadFirst(x, rest);
    storeFirst(y, activate(kind, value), rest);
    storeFirst(slopes, slope(kind, value), rest);
  }
}

/** y[i] = activation of x[i], for `size` numbers; y may be x. */
export function activationArray(kind: i32, x: usize, y: usize, size: i32): void {
  if (kind == RELU) forward(RELU, x, y, size);
  else if (kind == SIGMOID) forward(SIGMOID, x, y, size);
  else if (kind == TANH) forward(TANH, x, y, size);
  else if (kind == SILU) forward(SILU, x, y, size);
  else if (kind == GELU) forward(GELU, x, y, size);
  else forward(GELU_TANH, x, y, size);
}

/** Likewise, and slopes[i] = derivative at x[i]. */
export function activationAndSlopes(kind: i32, x: usize, y: usize, slopes: usize, size: i32): void {
  if (kind == RELU) both(RELU, x, y, slopes, size);
  else if (kind == SIGMOID) both(SIGMOID, x, y, slopes, size);
  else if (kind == TANH) both(TANH, x, y, slopes, size);
  else if (kind == SILU) both(SILU, x, y, slopes, size);
  else if (kind == GELU) both(GELU, x, y, slopes, size);
  else both(GELU_TANH, x, y, slopes, size);
}

/**
 * dx[i] = dy[i] · derivative at x[i], for `size` numbers. Of the kinds that are operations of their own: SiLU, both
 * GELUs.
 */
export function activationGrad(kind: i32, dy: usize, x: usize, dx: usize, size: i32): void {
  if (kind == SILU) backward(SILU, dy, x, dx, size);
  else if (kind == GELU) backward(GELU, dy, x, dx, size);
  else backward(GELU_TANH, dy, x, dx, size);
}
