import { sum } from './simd';

/**
 * Σ x, sixteen sums side by side.
 *
 * @param x [count]
 * @param count How many.
 * @returns The sum.
 */
export function sumOfElements(x: usize, count: u32): f64 {
  const end = x + ((<usize>count) << 2);
  const blocks = x + ((<usize>(count & ~15)) << 2);
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  for (; x != blocks; x += 64) {
    a = f32x4.add(a, v128.load(x));
    b = f32x4.add(b, v128.load(x, 16));
    c = f32x4.add(c, v128.load(x, 32));
    d = f32x4.add(d, v128.load(x, 48));
  }
  let total = <f64>sum(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  for (; x != end; x += 4) total += <f64>load<f32>(x);
  return total;
}
