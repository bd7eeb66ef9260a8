/**
 * The products of attention for a single row, as in decoding: one pass over keys and values where they lie.
 *
 * Loops are not unrolled, and test at their end: V8 makes 57 GB/s of the values' loop so, and 39 of it as a `for` (heads
 * of 64, data in the second-level cache). Eight keys at a time are slower than four, 38 and 42 GB/s.
 */
import { loadFirst, storeFirst } from './partial';
import { madd } from './simd';

/** Lane i is the sum of the lanes of the i-th argument. */
// @inline
function sums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<i32>(a, b, 0, 1, 4, 5), v128.shuffle<i32>(a, b, 2, 3, 6, 7));
  const cd = f32x4.add(v128.shuffle<i32>(c, d, 0, 1, 4, 5), v128.shuffle<i32>(c, d, 2, 3, 6, 7));
  return f32x4.add(v128.shuffle<i32>(ab, cd, 0, 2, 4, 6), v128.shuffle<i32>(ab, cd, 1, 3, 5, 7));
}

/**
 * out[j] = Σ_h query[h]·key[j][h], four keys at a time.
 *
 * @param step Bytes from key to key.
 * @param count How many keys, at least 1.
 * @param out Gets `count` numbers; up to three behind them are overwritten.
 */
export function rowTimesKeys(
  query: usize,
  key: usize,
  step: usize,
  count: i32,
  H: i32,
  out: usize,
): void {
  const whole = query + ((<usize>(H & ~3)) << 2);
  const rest = H & 3;
  for (; count > 0; count -= 4) {
    // Fewer than four keys are left: the last one again.
    let k0 = key;
    let k1 = count > 1 ? k0 + step : k0;
    let k2 = count > 2 ? k1 + step : k1;
    let k3 = count > 3 ? k2 + step : k2;
    let q = query;
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    if (q != whole) {
      do {
        const x = v128.load(q);
        s0 = madd(x, v128.load(k0), s0);
        s1 = madd(x, v128.load(k1), s1);
        s2 = madd(x, v128.load(k2), s2);
        s3 = madd(x, v128.load(k3), s3);
        q += 16;
        k0 += 16;
        k1 += 16;
        k2 += 16;
        k3 += 16;
      } while (q != whole);
    }
    if (rest) {
      const x = loadFirst(q, rest);
      s0 = madd(x, loadFirst(k0, rest), s0);
      s1 = madd(x, loadFirst(k1, rest), s1);
      s2 = madd(x, loadFirst(k2, rest), s2);
      s3 = madd(x, loadFirst(k3, rest), s3);
    }
    v128.store(out, sums(s0, s1, s2, s3));
    key += 4 * step;
    out += 16;
  }
}

/**
 * out = out·factor + Σ_j weights[j]·value[j].
 *
 * @param step Bytes from value to value.
 * @param count How many values, at least 1.
 */
export function weightsTimesValues(
  weights: usize,
  value: usize,
  step: usize,
  count: i32,
  Hv: i32,
  out: usize,
  factor: f32,
): void {
  const f = f32x4.splat(factor);
  const end = weights + ((<usize>count) << 2);
  let left = Hv;
  for (; left >= 32; left -= 32) {
    let s0 = f32x4.mul(f, v128.load(out));
    let s1 = f32x4.mul(f, v128.load(out, 16));
    let s2 = f32x4.mul(f, v128.load(out, 32));
    let s3 = f32x4.mul(f, v128.load(out, 48));
    let s4 = f32x4.mul(f, v128.load(out, 64));
    let s5 = f32x4.mul(f, v128.load(out, 80));
    let s6 = f32x4.mul(f, v128.load(out, 96));
    let s7 = f32x4.mul(f, v128.load(out, 112));
    let v = value;
    let p = weights;
    do {
      const w = v128.load_splat<f32>(p);
      s0 = madd(w, v128.load(v), s0);
      s1 = madd(w, v128.load(v, 16), s1);
      s2 = madd(w, v128.load(v, 32), s2);
      s3 = madd(w, v128.load(v, 48), s3);
      s4 = madd(w, v128.load(v, 64), s4);
      s5 = madd(w, v128.load(v, 80), s5);
      s6 = madd(w, v128.load(v, 96), s6);
      s7 = madd(w, v128.load(v, 112), s7);
      v += step;
      p += 4;
    } while (p != end);
    v128.store(out, s0);
    v128.store(out, s1, 16);
    v128.store(out, s2, 32);
    v128.store(out, s3, 48);
    v128.store(out, s4, 64);
    v128.store(out, s5, 80);
    v128.store(out, s6, 96);
    v128.store(out, s7, 112);
    out += 128;
    value += 128;
  }
  for (; left >= 4; left -= 4) {
    let s = f32x4.mul(f, v128.load(out));
    let v = value;
    for (let p = weights; p < end; p += 4) {
      s = madd(v128.load_splat<f32>(p), v128.load(v), s);
      v += step;
    }
    v128.store(out, s);
    out += 16;
    value += 16;
  }
  if (left > 0) {
    let s = f32x4.mul(f, loadFirst(out, left));
    for (let p = weights; p < end; p += 4) {
      s = madd(v128.load_splat<f32>(p), loadFirst(value, left), s);
      value += step;
    }
    storeFirst(out, s, left);
  }
}
