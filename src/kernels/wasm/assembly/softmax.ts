/** What softmax over rows is made of, and softmax itself. */
import { expNegative } from './exp';
import { keepFirst, loadFirst, storeFirst } from './partial';
import { sum } from './simd';

/** Numbers that are added up in float32 before their sum goes to a float64: 512 in each lane of two vectors. */
const CHUNK: i32 = 4096;

/** The largest of `size` numbers; −∞ for none. NaN is passed over: the exponentials that follow meet it. */
export function rowMax(x: usize, size: i32): f32 {
  let m0 = f32x4.splat(-Infinity);
  let m1 = m0;
  let m2 = m0;
  let m3 = m0;
  // Four maxima at once: one takes four cycles, and four loads can start in them.
  for (let i = size >> 4; i > 0; i--) {
    m0 = f32x4.pmax(m0, v128.load(x));
    m1 = f32x4.pmax(m1, v128.load(x, 16));
    m2 = f32x4.pmax(m2, v128.load(x, 32));
    m3 = f32x4.pmax(m3, v128.load(x, 48));
    x += 64;
  }
  m0 = f32x4.pmax(f32x4.pmax(m0, m1), f32x4.pmax(m2, m3));
  m0 = f32x4.pmax(m0, v128.shuffle<f32>(m0, m0, 2, 3, 0, 1));
  let largest = f32x4.extract_lane(f32x4.pmax(m0, v128.shuffle<f32>(m0, m0, 1, 0, 3, 2)), 0);
  for (let i = size & 15; i > 0; i--) {
    const v = load<f32>(x);
    if (v > largest) largest = v;
    x += 4;
  }
  return largest;
}

/**
 * Σ e^(x − max) of `size` numbers, in float64 from chunk to chunk: a vocabulary of 100,000 loses no digits.
 *
 * @param y Where the exponentials go; 0 for nowhere.
 */
// @inline
export function expSum(x: usize, y: usize, size: i32, max: f32): f64 {
  const shift = f32x4.splat(max);
  let total: f64 = 0;
  for (let left = size; left > 0; left -= CHUNK) {
    const count = min(left, CHUNK);
    let s0 = f32x4.splat(0);
    let s1 = s0;
    // Four vectors a turn: without fused multiply-add 1.3 times as fast as one; with it the same.
    for (let i = count >> 4; i > 0; i--) {
      const e0 = expNegative(f32x4.sub(v128.load(x), shift));
      const e1 = expNegative(f32x4.sub(v128.load(x, 16), shift));
      const e2 = expNegative(f32x4.sub(v128.load(x, 32), shift));
      const e3 = expNegative(f32x4.sub(v128.load(x, 48), shift));
      if (y) {
        v128.store(y, e0);
        v128.store(y, e1, 16);
        v128.store(y, e2, 32);
        v128.store(y, e3, 48);
        y += 64;
      }
      s0 = f32x4.add(s0, f32x4.add(e0, e1));
      s1 = f32x4.add(s1, f32x4.add(e2, e3));
      x += 64;
    }
    // Fewer than 16 are left in the last chunk alone.
    let rest = count & 15;
    for (; rest >= 4; rest -= 4) {
      const e = expNegative(f32x4.sub(v128.load(x), shift));
      if (y) {
        v128.store(y, e);
        y += 16;
      }
      s0 = f32x4.add(s0, e);
      x += 16;
    }
    if (rest) {
      const e = keepFirst(expNegative(f32x4.sub(loadFirst(x, rest), shift)), rest);
      if (y) storeFirst(y, e, rest);
      s1 = f32x4.add(s1, e);
    }
    total += <f64>sum(f32x4.add(s0, s1));
  }
  return total;
}

/** softmax of each of `rows` rows of `size` numbers: y = e^(x − max) / Σ e^(x − max). */
export function softmax(x: usize, y: usize, rows: i32, size: i32): void {
  const bytes = (<usize>size) << 2;
  for (; rows > 0; rows--) {
    const total = expSum(x, y, size, rowMax(x, size));
    const factor = f32x4.splat(<f32>(1 / total));
    const whole = bytes & ~15;
    for (let i: usize = 0; i < whole; i += 16)
      v128.store(y + i, f32x4.mul(v128.load(y + i), factor));
    const rest = size & 3;
    if (rest) storeFirst(y + whole, f32x4.mul(loadFirst(y + whole, rest), factor), rest);
    x += bytes;
    y += bytes;
  }
}
