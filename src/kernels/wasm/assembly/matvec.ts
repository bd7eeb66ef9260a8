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

/**
 * y[n] += Σ x[i]·W[i] over 4 rows of W. A line of the cache of each row in a turn: the addresses of the rows, computed
 * once for it, are a fifth of the instructions of turns of 4 columns. GB/s with W [768, 768] in the cache 56 and 69.
 * Where the rows begin within 16 bytes (50,257 columns), columns are taken one by one up to the next 16.
 */
function addFourRows(x: usize, xStride: usize, w: usize, ldw: usize, y: usize, n: i32): void {
  const x0 = v128.load32_splat(x);
  const x1 = v128.load32_splat(x + xStride);
  const x2 = v128.load32_splat(x + 2 * xStride);
  const x3 = v128.load32_splat(x + 3 * xStride);
  let w1 = w + ldw;
  let w2 = w1 + ldw;
  let w3 = w2 + ldw;
  const end = y + ((<usize>n) << 2);
  // prettier-ignore
  for (; y != end && (w & 15) != 0; y += 4) {
    addColumn(x0, x1, x2, x3, w, w1, w2, w3, y);
    w += 4; w1 += 4; w2 += 4; w3 += 4;
  }
  // prettier-ignore
  for (const lines = y + ((end - y) & ~63); y != lines; y += 64) {
    v128.store(y, fourTerms(x0, x1, x2, x3, v128.load(w), v128.load(w1), v128.load(w2), v128.load(w3), v128.load(y)));
    v128.store(y, fourTerms(x0, x1, x2, x3, v128.load(w, 16), v128.load(w1, 16), v128.load(w2, 16), v128.load(w3, 16), v128.load(y, 16)), 16);
    v128.store(y, fourTerms(x0, x1, x2, x3, v128.load(w, 32), v128.load(w1, 32), v128.load(w2, 32), v128.load(w3, 32), v128.load(y, 32)), 32);
    v128.store(y, fourTerms(x0, x1, x2, x3, v128.load(w, 48), v128.load(w1, 48), v128.load(w2, 48), v128.load(w3, 48), v128.load(y, 48)), 48);
    w += 64; w1 += 64; w2 += 64; w3 += 64;
  }
  // prettier-ignore
  for (const fours = y + ((end - y) & ~15); y != fours; y += 16) {
    v128.store(y, fourTerms(x0, x1, x2, x3, v128.load(w), v128.load(w1), v128.load(w2), v128.load(w3), v128.load(y)));
    w += 16; w1 += 16; w2 += 16; w3 += 16;
  }
  // prettier-ignore
  for (; y != end; y += 4) {
    addColumn(x0, x1, x2, x3, w, w1, w2, w3, y);
    w += 4; w1 += 4; w2 += 4; w3 += 4;
  }
}

/** One column, rounded as it is among four. */
function addColumn(
  x0: v128,
  x1: v128,
  x2: v128,
  x3: v128,
  w0: usize,
  w1: usize,
  w2: usize,
  w3: usize,
  y: usize,
): void {
  const a = v128.load32_zero(w0);
  const b = v128.load32_zero(w1);
  const c = v128.load32_zero(w2);
  const d = v128.load32_zero(w3);
  v128.store32_lane(y, fourTerms(x0, x1, x2, x3, a, b, c, d, v128.load32_zero(y)), 0);
}

/** y + Σ xᵢ·wᵢ in two chains: one of four additions would take longer than the loads. */
// @inline
function fourTerms(
  x0: v128,
  x1: v128,
  x2: v128,
  x3: v128,
  w0: v128,
  w1: v128,
  w2: v128,
  w3: v128,
  y: v128,
): v128 {
  const even = madd(x2, w2, madd(x0, w0, y));
  const odd = madd(x3, w3, f32x4.mul(x1, w1));
  return f32x4.add(even, odd);
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
