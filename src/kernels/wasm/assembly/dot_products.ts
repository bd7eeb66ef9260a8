/**
 * Every row of one matrix with every row of another, both contiguous along k: x·Wᵀ for few rows of x reads W once, in
 * place, at the speed of memory; and thin products of any orientation, where packing would cost more than multiplying.
 */
import { loadFirst } from './partial';
import { madd } from './simd';

/**
 * y[i, j] = x[i]·w[j] (+ bias): every row of x with every row of W, both contiguous along k. 4 rows of W at a time, one from each
 * quarter: four long streams are fetched ahead, four neighbours anew every few kilobytes (matvec.ts has figures).
 *
 * @param x m rows.
 * @param xRow Bytes from one row of x to the next.
 * @param w n rows, read once from memory.
 * @param wRow Bytes from one row of W to the next.
 * @param y Where y[0, 0] goes.
 * @param yi Bytes from y[i, j] to y[i+1, j].
 * @param yj Bytes from y[i, j] to y[i, j+1].
 * @param bias A number for each i or j, or 0.
 * @param biasI Bytes from the bias of i to that of i+1, 0 where it depends on j only; likewise biasJ.
 */
export function dotProducts(
  x: usize,
  xRow: usize,
  w: usize,
  wRow: usize,
  y: usize,
  yi: usize,
  yj: usize,
  bias: usize,
  biasI: usize,
  biasJ: usize,
  m: i32,
  n: i32,
  k: i32,
): void {
  const quarter = n >> 2;
  const step = <usize>quarter;
  for (let j = 0; j < quarter; j++) {
    const w1 = w + step * wRow;
    const w2 = w1 + step * wRow;
    const w3 = w2 + step * wRow;
    fourColumns(x, xRow, w, w1, w2, w3, y, yi, step * yj, bias, biasI, step * biasJ, m, k, 4);
    w += wRow;
    y += yj;
    if (bias != 0) bias += biasJ;
  }
  const rest = n & 3;
  if (rest == 0) return;
  w += 3 * step * wRow;
  y += 3 * step * yj;
  if (bias != 0) bias += 3 * step * biasJ;
  // Rows beyond the last repeat the first; their results are not stored.
  const w1 = rest > 1 ? w + wRow : w;
  const w2 = rest > 2 ? w + 2 * wRow : w;
  fourColumns(x, xRow, w, w1, w2, w, y, yi, yj, bias, biasI, biasJ, m, k, rest);
}

/** Every row of x with four of W, of which `valid` count. */
function fourColumns(
  x: usize,
  xRow: usize,
  w0: usize,
  w1: usize,
  w2: usize,
  w3: usize,
  y: usize,
  yi: usize,
  yj: usize,
  bias: usize,
  biasI: usize,
  biasJ: usize,
  m: i32,
  k: i32,
  valid: i32,
): void {
  for (; m >= 2; m -= 2) {
    twoByFour(x, x + xRow, w0, w1, w2, w3, k, y, yi, yj, bias, biasI, biasJ, valid);
    x += xRow << 1;
    y += yi << 1;
    if (bias != 0) bias += biasI << 1;
  }
  if (m > 0) oneByFour(x, w0, w1, w2, w3, k, y, yj, bias, biasJ, valid);
}

/** One row with four. */
// @inline
function oneByFour(
  x: usize,
  w0: usize,
  w1: usize,
  w2: usize,
  w3: usize,
  k: i32,
  y: usize,
  yj: usize,
  bias: usize,
  biasJ: usize,
  valid: i32,
): void {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let t0 = s0;
  let t1 = s0;
  let t2 = s0;
  let t3 = s0;
  let i: usize = 0;
  for (const end = (<usize>(k & ~7)) << 2; i != end; i += 32) {
    const x0 = v128.load(x + i);
    const x1 = v128.load(x + i, 16);
    s0 = madd(x0, v128.load(w0 + i), s0);
    t0 = madd(x1, v128.load(w0 + i, 16), t0);
    s1 = madd(x0, v128.load(w1 + i), s1);
    t1 = madd(x1, v128.load(w1 + i, 16), t1);
    s2 = madd(x0, v128.load(w2 + i), s2);
    t2 = madd(x1, v128.load(w2 + i, 16), t2);
    s3 = madd(x0, v128.load(w3 + i), s3);
    t3 = madd(x1, v128.load(w3 + i, 16), t3);
  }
  if (k & 4) {
    const x0 = v128.load(x + i);
    s0 = madd(x0, v128.load(w0 + i), s0);
    s1 = madd(x0, v128.load(w1 + i), s1);
    s2 = madd(x0, v128.load(w2 + i), s2);
    s3 = madd(x0, v128.load(w3 + i), s3);
    i += 16;
  }
  const rest = k & 3;
  if (rest) {
    const x0 = loadFirst(x + i, rest);
    t0 = madd(x0, loadFirst(w0 + i, rest), t0);
    t1 = madd(x0, loadFirst(w1 + i, rest), t1);
    t2 = madd(x0, loadFirst(w2 + i, rest), t2);
    t3 = madd(x0, loadFirst(w3 + i, rest), t3);
  }
  s0 = f32x4.add(s0, t0);
  s1 = f32x4.add(s1, t1);
  s2 = f32x4.add(s2, t2);
  s3 = f32x4.add(s3, t3);
  storeSums(fourSums(s0, s1, s2, s3), y, yj, bias, biasJ, valid);
}

/** Two rows with four. */
// @inline
function twoByFour(
  x0: usize,
  x1: usize,
  w0: usize,
  w1: usize,
  w2: usize,
  w3: usize,
  k: i32,
  y: usize,
  yi: usize,
  yj: usize,
  bias: usize,
  biasI: usize,
  biasJ: usize,
  valid: i32,
): void {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let t0 = s0;
  let t1 = s0;
  let t2 = s0;
  let t3 = s0;
  let i: usize = 0;
  for (const end = (<usize>(k & ~3)) << 2; i != end; i += 16) {
    const a = v128.load(x0 + i);
    const b = v128.load(x1 + i);
    let v = v128.load(w0 + i);
    s0 = madd(a, v, s0);
    t0 = madd(b, v, t0);
    v = v128.load(w1 + i);
    s1 = madd(a, v, s1);
    t1 = madd(b, v, t1);
    v = v128.load(w2 + i);
    s2 = madd(a, v, s2);
    t2 = madd(b, v, t2);
    v = v128.load(w3 + i);
    s3 = madd(a, v, s3);
    t3 = madd(b, v, t3);
  }
  const rest = k & 3;
  if (rest) {
    const a = loadFirst(x0 + i, rest);
    const b = loadFirst(x1 + i, rest);
    let v = loadFirst(w0 + i, rest);
    s0 = madd(a, v, s0);
    t0 = madd(b, v, t0);
    v = loadFirst(w1 + i, rest);
    s1 = madd(a, v, s1);
    t1 = madd(b, v, t1);
    v = loadFirst(w2 + i, rest);
    s2 = madd(a, v, s2);
    t2 = madd(b, v, t2);
    v = loadFirst(w3 + i, rest);
    s3 = madd(a, v, s3);
    t3 = madd(b, v, t3);
  }
  storeSums(fourSums(s0, s1, s2, s3), y, yj, bias, biasJ, valid);
  const second = bias == 0 ? 0 : bias + biasI;
  storeSums(fourSums(t0, t1, t2, t3), y + yi, yj, second, biasJ, valid);
}

/** The sums of the lanes of four vectors, as one. */
// @inline
function fourSums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f64>(ab, cd, 0, 2), v128.shuffle<f64>(ab, cd, 1, 3));
}

/** Stores the first `valid` lanes, a stride apart, with a bias added. */
// @inline
function storeSums(x: v128, y: usize, yj: usize, bias: usize, biasJ: usize, valid: i32): void {
  let b0: f32 = 0;
  let b1: f32 = 0;
  let b2: f32 = 0;
  let b3: f32 = 0;
  if (bias != 0) {
    b0 = load<f32>(bias);
    if (valid > 1) b1 = load<f32>(bias + biasJ);
    if (valid > 2) b2 = load<f32>(bias + 2 * biasJ);
    if (valid > 3) b3 = load<f32>(bias + 3 * biasJ);
  }
  store<f32>(y, f32x4.extract_lane(x, 0) + b0);
  if (valid > 1) store<f32>(y + yj, f32x4.extract_lane(x, 1) + b1);
  if (valid > 2) store<f32>(y + 2 * yj, f32x4.extract_lane(x, 2) + b2);
  if (valid > 3) store<f32>(y + 3 * yj, f32x4.extract_lane(x, 3) + b3);
}
