/**
 * Products of one or two rows with a matrix W [k, n] that is read once, in place, at the speed of memory: the step of a
 * decoder with a cache. Down a column of W would be a new line of the cache for each number, so rows are swept along n.
 * For W [n, k] there is dot_products.ts.
 */
import { madd } from './simd';

/**
 * Columns of y at a time, 256 kB: the second-level cache. y is read and written once for 4 rows of W, so the first
 * level would do no better, and its 4,096 columns broke the streams of W: 14.5 instead of 19.8 GB/s at n = 8,192.
 */
const CHUNK: i32 = 65536;

/**
 * y += x·W for one row x and W [k, n], row-major. The rows of W are read as four long streams, a quarter of them each:
 * a processor fetches those ahead, while eight neighbouring rows at a time are eight short ones that start anew every
 * few kilobytes. GB/s with W beyond the caches, where a loop that only reads gets 24, by rows at a time:
 *
 *     W             1      2, halves   4, quarters   8, eighths   4 neighbours   8 neighbours
 *     768 × 768     22        26            27            22           12              15
 *     768 × 3072    17        20            25            22           17              21
 *     3072 × 768    22        26            28            22           12              15
 *
 * @param x First number of the row.
 * @param xStride Bytes from one number of it to the next.
 * @param w W.
 * @param ldw Bytes from one row of W to the next.
 * @param y [n].
 */
export function addRowTimesMatrix(
  x: usize,
  xStride: usize,
  w: usize,
  ldw: usize,
  y: usize,
  n: i32,
  k: i32,
): void {
  const quarter = k >> 2;
  const xQuarter = xStride * <usize>quarter;
  const wQuarter = ldw * <usize>quarter;
  for (; n > 0; n -= CHUNK) {
    const columns = min(n, CHUNK);
    let xk = x;
    let wk = w;
    for (let row = 0; row < quarter; row++) {
      addFourRows(xk, xQuarter, wk, wQuarter, y, columns);
      xk += xStride;
      wk += ldw;
    }
    xk += 3 * xQuarter;
    wk += 3 * wQuarter;
    for (let rest = k & 3; rest > 0; rest--) {
      addOneRow(load<f32>(xk), wk, y, columns);
      xk += xStride;
      wk += ldw;
    }
    w += (<usize>CHUNK) << 2;
    y += (<usize>CHUNK) << 2;
  }
}

/** y[n] += Σ x[i]·W[i] over 4 rows of W. */
function addFourRows(x: usize, xStride: usize, w: usize, ldw: usize, y: usize, n: i32): void {
  const end = y + ((<usize>(n & ~3)) << 2);
  const x0 = v128.load32_splat(x);
  const x1 = v128.load32_splat(x + xStride);
  const x2 = v128.load32_splat(x + 2 * xStride);
  const x3 = v128.load32_splat(x + 3 * xStride);
  const o2 = ldw << 1;
  const o3 = ldw + o2;
  for (; y != end; y += 16) {
    // Two chains: one of four additions would take longer than the loads.
    let even = madd(x0, v128.load(w), v128.load(y));
    let odd = f32x4.mul(x1, v128.load(w + ldw));
    even = madd(x2, v128.load(w + o2), even);
    odd = madd(x3, v128.load(w + o3), odd);
    v128.store(y, f32x4.add(even, odd));
    w += 16;
  }
  for (let rest = n & 3; rest > 0; rest--) {
    let sum = load<f32>(y);
    let from = w;
    for (let i: usize = 0; i < 4; i++) {
      sum += load<f32>(x + i * xStride) * load<f32>(from);
      from += ldw;
    }
    store<f32>(y, sum);
    w += 4;
    y += 4;
  }
}

/** y[n] += x·w[n]. */
function addOneRow(x: f32, w: usize, y: usize, n: i32): void {
  const end = y + ((<usize>(n & ~3)) << 2);
  const splat = f32x4.splat(x);
  for (; y != end; y += 16) {
    v128.store(y, madd(splat, v128.load(w), v128.load(y)));
    w += 16;
  }
  for (let rest = n & 3; rest > 0; rest--) {
    store<f32>(y, load<f32>(y) + x * load<f32>(w));
    w += 4;
    y += 4;
  }
}

/**
 * y += x·W for two rows x, as {@link addRowTimesMatrix}.
 *
 * @param xRow Bytes from one row of x to the other; likewise yRow.
 */
export function addTwoRowsTimesMatrix(
  x: usize,
  xRow: usize,
  xStride: usize,
  w: usize,
  ldw: usize,
  y: usize,
  yRow: usize,
  n: i32,
  k: i32,
): void {
  const quarter = k >> 2;
  const xQuarter = xStride * <usize>quarter;
  const wQuarter = ldw * <usize>quarter;
  for (; n > 0; n -= CHUNK) {
    const columns = min(n, CHUNK);
    let xk = x;
    let wk = w;
    for (let row = 0; row < quarter; row++) {
      addFourRowsTwice(xk, xRow, xQuarter, wk, wQuarter, y, yRow, columns);
      xk += xStride;
      wk += ldw;
    }
    xk += 3 * xQuarter;
    wk += 3 * wQuarter;
    for (let rest = k & 3; rest > 0; rest--) {
      addOneRow(load<f32>(xk), wk, y, columns);
      addOneRow(load<f32>(xk + xRow), wk, y + yRow, columns);
      xk += xStride;
      wk += ldw;
    }
    w += (<usize>CHUNK) << 2;
    y += (<usize>CHUNK) << 2;
  }
}

/** y[r, n] += Σ x[r, i]·W[i] over 4 rows of W, r = 0, 1. */
function addFourRowsTwice(
  x: usize,
  xRow: usize,
  xStride: usize,
  w: usize,
  ldw: usize,
  y: usize,
  yRow: usize,
  n: i32,
): void {
  const end = y + ((<usize>(n & ~3)) << 2);
  const x2 = x + 2 * xStride;
  const x00 = v128.load32_splat(x);
  const x01 = v128.load32_splat(x + xStride);
  const x02 = v128.load32_splat(x2);
  const x03 = v128.load32_splat(x2 + xStride);
  const x10 = v128.load32_splat(x + xRow);
  const x11 = v128.load32_splat(x + xRow + xStride);
  const x12 = v128.load32_splat(x2 + xRow);
  const x13 = v128.load32_splat(x2 + xRow + xStride);
  const o2 = ldw << 1;
  const o3 = ldw + o2;
  for (; y != end; y += 16) {
    let y0 = v128.load(y);
    let y1 = v128.load(y + yRow);
    const w0 = v128.load(w);
    y0 = madd(x00, w0, y0);
    y1 = madd(x10, w0, y1);
    const w1 = v128.load(w + ldw);
    y0 = madd(x01, w1, y0);
    y1 = madd(x11, w1, y1);
    const w2 = v128.load(w + o2);
    y0 = madd(x02, w2, y0);
    y1 = madd(x12, w2, y1);
    const w3 = v128.load(w + o3);
    y0 = madd(x03, w3, y0);
    y1 = madd(x13, w3, y1);
    v128.store(y, y0);
    v128.store(y + yRow, y1);
    w += 16;
  }
  for (let rest = n & 3; rest > 0; rest--) {
    let sum0 = load<f32>(y);
    let sum1 = load<f32>(y + yRow);
    let from = w;
    for (let i: usize = 0; i < 4; i++) {
      const wi = load<f32>(from);
      sum0 += load<f32>(x + i * xStride) * wi;
      sum1 += load<f32>(x + xRow + i * xStride) * wi;
      from += ldw;
    }
    store<f32>(y, sum0);
    store<f32>(y + yRow, sum1);
    w += 4;
    y += 4;
  }
}
