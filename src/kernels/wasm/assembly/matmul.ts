/**
 * Matrix products, blocked after Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (2008), with
 * one change: the strip of 4 rows of A stays in the first cache, each number repeated four times there, while the
 * packed panels of B stream by from the second. On one core (GFLOP/s, plain and fused), where registers alone reach 40
 * and 59, this gives 35 … 40 and 46 … 51, whatever is transposed.
 */
import { dotProducts } from './dot_products';
import { addRowTimesMatrix, addTwoRowsTimesMatrix } from './matvec';
import { packColumns, packStrip, packTransposedColumns } from './pack';
import {
  PANEL_BYTES,
  STRIP_BYTES,
  TILE_BYTES,
  TILE_COLUMNS,
  TILE_ROWS,
  packingTile,
  partialTile,
  tile,
} from './tile';

/** Most terms of the sum taken at a time: a strip of so many is 16 kB, half of a first-level cache. */
const DEPTH: i32 = 256;
/**
 * Most numbers of B packed at a time: 256 kB, which fit the second-level cache of any processor of the last ten years.
 * Twice as many gain 2 % where that cache is 1 MB, half as many lose 3 %.
 */
const PACKED: i32 = 65536;
/**
 * Rows, or columns, up to which dot products beat the blocked product: 16 where they are long enough to repay adding up
 * their lanes, else 7. Measured (GFLOP/s, m = 8, 16): k = 128 37 : 32, 37.5 : 35; k = 32 26.5 : 29, 27 : 32.
 */
// @inline
function fewDots(k: i32): i32 {
  return k >= 64 ? 16 : 7;
}
/** Rows up to which B is read in place. */
const FEW_ROWS: i32 = 8;
/** Rows of B in place taken at a time. */
const IN_PLACE_BLOCK: i32 = 64;
/** Columns of Cᵀ computed at a time: with 7 rows 28 kB. */
const TURNED_COLUMNS: i32 = 1024;
/** Scratch of {@link multiplyInPlace}. */
const IN_PLACE_BYTES: usize = TILE_BYTES + <usize>IN_PLACE_BLOCK * (STRIP_BYTES + PANEL_BYTES);

/** Terms of the sum to take at a time: k in equal parts. */
function blockDepth(k: i32): i32 {
  return divideUp(k, max(divideUp(k, DEPTH), 1));
}

/** Columns to pack at a time: n in equal parts, of whole panels. */
function blockColumns(n: i32, depth: i32): i32 {
  const most = (PACKED / max(depth, 1)) & ~7;
  return (divideUp(n, max(divideUp(n, most), 1)) + 7) & ~7;
}

// @inline
function divideUp(x: i32, y: i32): i32 {
  return (x + y - 1) / y;
}

/** Bytes of scratch that {@link matmul} needs for products of this size. */
export function matmulScratch(m: i32, n: i32, k: i32): usize {
  const depth = blockDepth(k);
  const panels = (<usize>(blockColumns(n, depth) + 7)) >> 3;
  const blocks = TILE_BYTES + <usize>depth * (STRIP_BYTES + panels * PANEL_BYTES);
  const few = fewDots(k);
  const gathered = max(m <= few ? m : 0, n <= few ? n : 0);
  const turned = n < TILE_COLUMNS ? IN_PLACE_BYTES + ((<usize>(n * TURNED_COLUMNS)) << 2) : 0;
  return max(max(blocks, turned), (<usize>gathered * <usize>k) << 2);
}

/**
 * C = op(A)·op(B) (+ bias), [m, k]·[k, n], for a batch of matrices.
 *
 * @param a A, [m, k], or [k, m] where transposed.
 * @param b B, [k, n], or [n, k] where transposed.
 * @param c C, [m, n].
 * @param bias [n] to add to each row, or 0.
 * @param lda Bytes from one row of A as it lies to the next; likewise ldb, ldc.
 * @param batch How many products.
 * @param aBatch Bytes from one A to the next, 0 where all take the same; likewise bBatch, cBatch.
 * @param scratch {@link matmulScratch} bytes, aligned to 16.
 */
export function matmul(
  a: usize,
  lda: usize,
  transposeA: bool,
  b: usize,
  ldb: usize,
  transposeB: bool,
  c: usize,
  ldc: usize,
  m: i32,
  n: i32,
  k: i32,
  bias: usize,
  batch: i32,
  aBatch: usize,
  bBatch: usize,
  cBatch: usize,
  scratch: usize,
): void {
  for (; batch > 0; batch--) {
    const rowStride: usize = transposeA ? 4 : lda;
    const kStride: usize = transposeA ? lda : 4;
    multiply(a, rowStride, kStride, b, ldb, transposeB, c, ldc, m, n, k, bias, scratch);
    a += aBatch;
    b += bBatch;
    c += cBatch;
  }
}

/** One product; op(A) by the strides of its rows and columns. Chooses the way by shape. */
function multiply(
  a: usize,
  rowStride: usize,
  kStride: usize,
  b: usize,
  ldb: usize,
  transposeB: bool,
  c: usize,
  ldc: usize,
  m: i32,
  n: i32,
  k: i32,
  bias: usize,
  scratch: usize,
): void {
  if (m == 0 || n == 0) return;
  if (k == 0) return fillRows(c, ldc, m, n, bias);
  const columnStride: usize = transposeB ? ldb : 4;
  const bStride: usize = transposeB ? 4 : ldb;
  if (n == 1 && ldc == 4 && rowStride == 4) {
    // One column with a transposed A: a row times A as it lies.
    for (let i = 0; i < m; i++) store<f32>(c + ((<usize>i) << 2), bias == 0 ? 0 : load<f32>(bias));
    return addRowTimesMatrix(b, bStride, a, kStride, c, m, k);
  }
  if (m <= fewDots(k) && transposeB) {
    // Rows of op(A) with rows of B.
    const x = contiguousRows(a, rowStride, kStride, m, k, scratch);
    const xRow = x == a ? rowStride : (<usize>k) << 2;
    return dotProducts(x, xRow, b, ldb, c, ldc, 4, bias, 0, 4, m, n, k);
  }
  if (n <= fewDots(k) && kStride == 4) {
    // Columns of op(B) with rows of A.
    const x = contiguousRows(b, columnStride, bStride, n, k, scratch);
    const xRow = x == b ? columnStride : (<usize>k) << 2;
    return dotProducts(x, xRow, a, rowStride, c, 4, ldc, bias, 4, 0, n, m, k);
  }
  if (m <= 2 && !transposeB) {
    fillRows(c, ldc, m, n, bias);
    if (m == 1) addRowTimesMatrix(a, kStride, b, ldb, c, n, k);
    else addTwoRowsTimesMatrix(a, rowStride, kStride, b, ldb, c, ldc, n, k);
    return;
  }
  if (m <= FEW_ROWS && !transposeB) {
    return multiplyInPlace(a, rowStride, kStride, b, ldb, c, ldc, m, n, k, bias, scratch);
  }
  if (n < TILE_COLUMNS && rowStride == 4) {
    // Few columns with a transposed A: Cᵀ = op(B)ᵀ·A, with A as it lies.
    const turned = scratch + IN_PLACE_BYTES;
    for (let i = 0; i < m; i += TURNED_COLUMNS) {
      const rows = min(TURNED_COLUMNS, m - i);
      const from = a + ((<usize>i) << 2);
      const width = (<usize>rows) << 2;
      // prettier-ignore
      multiplyInPlace(b, columnStride, bStride, from, kStride, turned, width, n, rows, k, 0, scratch);
      storeTurned(turned, c + <usize>i * ldc, ldc, rows, n, bias);
    }
    return;
  }
  multiplyBlocked(a, rowStride, kStride, b, ldb, transposeB, c, ldc, m, n, k, bias, scratch);
}

/** C = (Cᵀ)ᵀ (+ bias). */
function storeTurned(turned: usize, c: usize, ldc: usize, m: i32, n: i32, bias: usize): void {
  const turnedRow = (<usize>m) << 2;
  for (let i = 0; i < m; i++) {
    let from = turned;
    for (let j = 0; j < n; j++) {
      const at = (<usize>j) << 2;
      const value = load<f32>(from);
      store<f32>(c + at, bias == 0 ? value : value + load<f32>(bias + at));
      from += turnedRow;
    }
    turned += 4;
    c += ldc;
  }
}

/** The general way: B is packed, block by block. */
function multiplyBlocked(
  a: usize,
  rowStride: usize,
  kStride: usize,
  b: usize,
  ldb: usize,
  transposeB: bool,
  c: usize,
  ldc: usize,
  m: i32,
  n: i32,
  k: i32,
  bias: usize,
  scratch: usize,
): void {
  const mostDepth = blockDepth(k);
  const mostColumns = blockColumns(n, mostDepth);
  const strip = scratch + TILE_BYTES;
  const panels = strip + <usize>mostDepth * STRIP_BYTES;
  for (let j = 0; j < n; j += mostColumns) {
    const columns = min(mostColumns, n - j);
    const blockC = c + ((<usize>j) << 2);
    for (let p = 0; p < k; p += mostDepth) {
      const depth = min(mostDepth, k - p);
      if (transposeB) {
        const from = b + <usize>j * ldb + ((<usize>p) << 2);
        packTransposedColumns(from, ldb, columns, depth, panels);
      } else {
        const from = b + <usize>p * ldb + ((<usize>j) << 2);
        packColumns(from, ldb, columns, depth, panels);
      }
      const panelBytes = <usize>depth * PANEL_BYTES;
      const blockBias = bias != 0 && p + depth == k ? bias + ((<usize>j) << 2) : 0;
      for (let i = 0; i < m; i += 4) {
        const rows = min(4, m - i);
        const from = a + <usize>i * rowStride + <usize>p * kStride;
        const to = blockC + <usize>i * ldc;
        if (rows < TILE_ROWS || columns < TILE_COLUMNS) {
          packStrip(from, rowStride, kStride, rows, depth, strip);
          // prettier-ignore
          stripTimesPanels(
            strip, panels, panelBytes, PANEL_BYTES, depth,
            to, ldc, rows, columns, p > 0, blockBias, scratch,
          );
          continue;
        }
        // prettier-ignore
        packingTile(
          from, rowStride, kStride, strip, panels, PANEL_BYTES, depth,
          to, ldc, p > 0, blockBias,
        );
        // prettier-ignore
        stripTimesPanels(
          strip, panels + panelBytes, panelBytes, PANEL_BYTES, depth, to + PANEL_BYTES, ldc,
          rows, columns - TILE_COLUMNS, p > 0, blockBias == 0 ? 0 : blockBias + PANEL_BYTES, scratch,
        );
      }
    }
  }
}

/** Few rows: packing B would cost more than it saves, so its rows are read in place, some of them at a time. */
function multiplyInPlace(
  a: usize,
  rowStride: usize,
  kStride: usize,
  b: usize,
  ldb: usize,
  c: usize,
  ldc: usize,
  m: i32,
  n: i32,
  k: i32,
  bias: usize,
  scratch: usize,
): void {
  const strip = scratch + TILE_BYTES;
  const lastPanel = strip + <usize>min(k, IN_PLACE_BLOCK) * STRIP_BYTES;
  const whole = n & ~7;
  const rest = n & 7;
  const wholeBytes = (<usize>whole) << 2;
  for (let p = 0; p < k; p += IN_PLACE_BLOCK) {
    const depth = min(IN_PLACE_BLOCK, k - p);
    const blockBias = p + depth == k ? bias : 0;
    const from = b + <usize>p * ldb;
    if (rest) packColumns(from + wholeBytes, ldb, rest, depth, lastPanel);
    for (let i = 0; i < m; i += 4) {
      const rows = min(4, m - i);
      const to = c + <usize>i * ldc;
      packStrip(
        a + <usize>i * rowStride + <usize>p * kStride, rowStride, kStride, rows, depth, strip,
      ); // prettier-ignore
      // prettier-ignore
      stripTimesPanels(
        strip, from, PANEL_BYTES, ldb, depth,
        to, ldc, rows, whole, p > 0, blockBias, scratch,
      );
      if (!rest) continue;
      // prettier-ignore
      stripTimesPanels(
        strip, lastPanel, 0, PANEL_BYTES, depth,
        to + wholeBytes, ldc, rows, rest, p > 0, blockBias == 0 ? 0 : blockBias + wholeBytes, scratch,
      );
    }
  }
}

/** Rows as they lie, where they are contiguous along k, else a copy in scratch, [rows, k]. */
function contiguousRows(
  from: usize,
  rowStride: usize,
  kStride: usize,
  rows: i32,
  k: i32,
  scratch: usize,
): usize {
  if (kStride == 4) return from;
  let to = scratch;
  for (; rows > 0; rows--) {
    let next = from;
    for (let i = k; i > 0; i--) {
      store<f32>(to, load<f32>(next));
      next += kStride;
      to += 4;
    }
    from += rowStride;
  }
  return scratch;
}

/** 4 rows of C (`rows` of them valid) over all columns of a block. */
function stripTimesPanels(
  strip: usize,
  panels: usize,
  panelBytes: usize,
  panelStride: usize,
  depth: i32,
  c: usize,
  ldc: usize,
  rows: i32,
  columns: i32,
  accumulate: bool,
  bias: usize,
  scratch: usize,
): void {
  for (; columns > 0; columns -= 8) {
    if (rows == 4 && columns >= 8) {
      tile(strip, panels, panelStride, depth, c, ldc, accumulate, bias);
    } else {
      partialTile(
        strip,
        panels,
        panelStride,
        depth,
        c,
        ldc,
        accumulate,
        bias,
        rows,
        min(columns, 8),
        scratch,
      );
    }
    panels += panelBytes;
    c += 32;
    if (bias != 0) bias += 32;
  }
}

/** The product without terms: the bias, or zeros, in each row. */
function fillRows(c: usize, ldc: usize, m: i32, n: i32, bias: usize): void {
  const bytes = (<usize>n) << 2;
  for (; m > 0; m--) {
    if (bias != 0) memory.copy(c, bias, bytes);
    else memory.fill(c, 0, bytes);
    c += ldc;
  }
}
