import { madd, sum } from './simd';

/** Elements whose squares are summed in float32, sixteen sums of 64, before they go into the float64 total. */
const BLOCK: usize = 1024 * 4;

/**
 * Σ x². Blocks are summed in float32, the blocks in float64.
 *
 * @param x [count]
 * @param count How many.
 * @returns The sum.
 */
export function sumOfSquares(x: usize, count: u32): f64 {
  let total: f64 = 0;
  const bytes = (<usize>count) << 2;
  for (let start: usize = 0; start < bytes; start += BLOCK)
    total += <f64>block(x + start, min(BLOCK, bytes - start));
  return total;
}

// @inline
function block(x: usize, bytes: usize): f32 {
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  let i: usize = 0;
  for (const fours = bytes & ~63; i < fours; i += 64) {
    a = square(x + i, a);
    b = square(x + i + 16, b);
    c = square(x + i + 32, c);
    d = square(x + i + 48, d);
  }
  for (const whole = bytes & ~15; i < whole; i += 16) a = square(x + i, a);
  let result = sum(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  for (; i < bytes; i += 4) result += load<f32>(x + i) * load<f32>(x + i);
  return result;
}

// @inline
function square(x: usize, to: v128): v128 {
  const v = v128.load(x);
  return madd(v, v, to);
}

/**
 * Stores a number as float32.
 *
 * @param place Where.
 * @param value The number.
 */
export function storeNumber(place: usize, value: f64): void {
  store<f32>(place, <f32>value);
}

/**
 * y = x·dy/norm, the gradient of the norm.
 *
 * @param x [count]
 * @param y [count]
 * @param count How many.
 * @param dy Where the gradient of the norm is.
 * @param norm Where the norm is.
 */
export function globalNormGrad(x: usize, y: usize, count: u32, dy: usize, norm: usize): void {
  const factor: f32 = load<f32>(dy) / load<f32>(norm);
  const factors = f32x4.splat(factor);
  const bytes = (<usize>count) << 2;
  let i: usize = 0;
  for (const whole = bytes & ~15; i < whole; i += 16)
    v128.store(y + i, f32x4.mul(v128.load(x + i), factors));
  for (; i < bytes; i += 4) store<f32>(y + i, load<f32>(x + i) * factor);
}
