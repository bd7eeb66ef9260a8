/** Activations by number, for the kernels that have one inside; each number must be known when they are compiled. */
import { gelu, geluSlope, geluTanh, geluTanhSlope } from './gelu';
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

/** The activation in each lane. */
// @inline
export function activate(kind: i32, x: v128): v128 {
  if (kind == RELU) return f32x4.pmax(x, f32x4.splat(0));
  if (kind == SIGMOID) return sigmoid(x);
  if (kind == TANH) return tanh(x);
  if (kind == SILU) return silu(x);
  if (kind == GELU) return gelu(x);
  if (kind == GELU_TANH) return geluTanh(x);
  return x;
}

/** Its derivative at x. Where both are needed, the engine shares what they have in common. */
// @inline
export function slope(kind: i32, x: v128): v128 {
  const one = f32x4.splat(1);
  if (kind == RELU) return v128.and(f32x4.gt(x, f32x4.splat(0)), one);
  if (kind == SIGMOID) {
    const s = sigmoid(x);
    return f32x4.mul(s, f32x4.sub(one, s));
  }
  if (kind == TANH) {
    const y = tanh(x);
    return f32x4.sub(one, f32x4.mul(y, y));
  }
  if (kind == SILU) return siluSlope(x);
  if (kind == GELU) return geluSlope(x);
  if (kind == GELU_TANH) return geluTanhSlope(x);
  return one;
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

/** y[i] = activation of x[i], for `size` numbers. Of the kinds that are operations of their own: SiLU, both GELUs. */
export function activationArray(kind: i32, x: usize, y: usize, size: i32): void {
  if (kind == SILU) forward(SILU, x, y, size);
  else if (kind == GELU) forward(GELU, x, y, size);
  else forward(GELU_TANH, x, y, size);
}

/** dx[i] = dy[i] · derivative at x[i], for `size` numbers; the same kinds. */
export function activationGrad(kind: i32, dy: usize, x: usize, dx: usize, size: i32): void {
  if (kind == SILU) backward(SILU, dy, x, dx, size);
  else if (kind == GELU) backward(GELU, dy, x, dx, size);
  else backward(GELU_TANH, dy, x, dx, size);
}
