import { loadFirst, storeFirst } from './partial';
import { tanh } from './tanh';

/** cap·tanh(x/cap) in each lane. */
// @inline
export function softCap(x: v128, cap: v128): v128 {
  return f32x4.mul(cap, tanh(f32x4.div(x, cap)));
}

/** Its derivative, 1 − tanh²(x/cap). */
// @inline
export function softCapSlope(x: v128, cap: v128): v128 {
  const t = tanh(f32x4.div(x, cap));
  return f32x4.sub(f32x4.splat(1), f32x4.mul(t, t));
}

/** y[i] = cap·tanh(x[i]/cap), for `size` numbers. */
export function softCapArray(x: usize, y: usize, size: i32, cap: f32): void {
  const caps = f32x4.splat(cap);
  const end = x + ((<usize>(size >> 2)) << 4);
  while (x != end) {
    v128.store(y, softCap(v128.load(x), caps));
    x += 16;
    y += 16;
  }
  const rest = size & 3;
  if (rest) storeFirst(y, softCap(loadFirst(x, rest), caps), rest);
}

/** dx[i] = dy[i] · (1 − tanh²(x[i]/cap)), for `size` numbers. */
export function softCapGrad(dy: usize, x: usize, dx: usize, size: i32, cap: f32): void {
  const caps = f32x4.splat(cap);
  const end = x + ((<usize>(size >> 2)) << 4);
  while (x != end) {
    v128.store(dx, f32x4.mul(v128.load(dy), softCapSlope(v128.load(x), caps)));
    dy += 16;
    x += 16;
    dx += 16;
  }
  const rest = size & 3;
  if (rest)
    storeFirst(dx, f32x4.mul(loadFirst(dy, rest), softCapSlope(loadFirst(x, rest), caps)), rest);
}
