/** Copies of parts of a matrix in the order in which tile.ts reads them. */
import { loadFirst } from './partial';
import { PANEL_BYTES, STRIP_BYTES } from './tile';

/**
 * Packs 4 rows of a matrix into a strip: for each k the 4 numbers, each repeated four times. Any layout of the matrix.
 *
 * @param a First number.
 * @param rowStride Bytes from one row to the next.
 * @param kStride Bytes from one k to the next.
 * @param rows Rows that exist, 1 … 4; the others repeat the first.
 * @param k How many numbers of each row, at least 1.
 * @param strip 64·k bytes.
 */
export function packStrip(
  a: usize,
  rowStride: usize,
  kStride: usize,
  rows: i32,
  k: i32,
  strip: usize,
): void {
  let a1 = rows > 1 ? a + rowStride : a;
  let a2 = rows > 2 ? a + 2 * rowStride : a;
  let a3 = rows > 3 ? a + 3 * rowStride : a;
  const end = strip + <usize>k * STRIP_BYTES;
  do {
    v128.store(strip, v128.load32_splat(a));
    v128.store(strip, v128.load32_splat(a1), 16);
    v128.store(strip, v128.load32_splat(a2), 32);
    v128.store(strip, v128.load32_splat(a3), 48);
    a += kStride;
    a1 += kStride;
    a2 += kStride;
    a3 += kStride;
    strip += STRIP_BYTES;
  } while (strip != end);
}

/**
 * Packs columns of a row-major matrix into panels of 8 columns, [panel][k][8]. The last is filled up with zeros.
 *
 * @param b First number.
 * @param rowStride Bytes from one row (one k) to the next.
 * @param columns How many.
 * @param k Rows.
 * @param panels ⌈columns/8⌉·k·32 bytes.
 */
export function packColumns(b: usize, rowStride: usize, columns: i32, k: i32, panels: usize): void {
  const panelBytes = <usize>k * PANEL_BYTES;
  // Two panels at once read whole cache lines.
  for (; columns >= 16; columns -= 16) {
    let from = b;
    const end = panels + panelBytes;
    for (; panels != end; panels += PANEL_BYTES) {
      v128.store(panels, v128.load(from));
      v128.store(panels, v128.load(from, 16), 16);
      v128.store(panels + panelBytes, v128.load(from, 32));
      v128.store(panels + panelBytes, v128.load(from, 48), 16);
      from += rowStride;
    }
    panels += panelBytes;
    b += 64;
  }
  for (; columns > 0; columns -= 8) {
    let from = b;
    for (const end = panels + panelBytes; panels != end; panels += PANEL_BYTES) {
      v128.store(panels, loadUpTo4(from, columns));
      v128.store(panels, loadUpTo4(from + 16, columns - 4), 16);
      from += rowStride;
    }
    b += 32;
  }
}

/**
 * Packs columns of a transposed matrix, which lie along k, into panels of 8 columns, [panel][k][8]. The last is filled
 * up with zeros.
 *
 * @param b First number.
 * @param columnStride Bytes from one column to the next.
 * @param columns How many.
 * @param k Numbers of each column.
 * @param panels ⌈columns/8⌉·k·32 bytes.
 */
export function packTransposedColumns(
  b: usize,
  columnStride: usize,
  columns: i32,
  k: i32,
  panels: usize,
): void {
  const panelBytes = <usize>k * PANEL_BYTES;
  for (; columns > 0; columns -= 8) {
    packFour(b, columnStride, columns, k, panels);
    packFour(b + 4 * columnStride, columnStride, columns - 4, k, panels + 16);
    b += 8 * columnStride;
    panels += panelBytes;
  }
}

/** Half a panel: 4 columns, of which `columns` exist, any number. */
function packFour(b: usize, columnStride: usize, columns: i32, k: i32, panel: usize): void {
  let from = b;
  const end = panel + <usize>k * PANEL_BYTES;
  if (columns >= 4) {
    for (let whole = k >> 2; whole > 0; whole--) {
      const x0 = v128.load(from);
      const x1 = v128.load(from + columnStride);
      const x2 = v128.load(from + 2 * columnStride);
      const x3 = v128.load(from + 3 * columnStride);
      const low01 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5);
      const low23 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5);
      const high01 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7);
      const high23 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7);
      v128.store(panel, v128.shuffle<f64>(low01, low23, 0, 2));
      v128.store(panel, v128.shuffle<f64>(low01, low23, 1, 3), 32);
      v128.store(panel, v128.shuffle<f64>(high01, high23, 0, 2), 64);
      v128.store(panel, v128.shuffle<f64>(high01, high23, 1, 3), 96);
      from += 16;
      panel += 4 * PANEL_BYTES;
    }
  }
  // The last numbers of four columns, or all of fewer.
  for (; panel != end; panel += PANEL_BYTES) {
    let x = f32x4.splat(0);
    if (columns > 0) x = v128.load32_zero(from);
    if (columns > 1) x = v128.load32_lane(from + columnStride, x, 1);
    if (columns > 2) x = v128.load32_lane(from + 2 * columnStride, x, 2);
    if (columns > 3) x = v128.load32_lane(from + 3 * columnStride, x, 3);
    v128.store(panel, x);
    from += 4;
  }
}

/** The first `count` floats of four, any number: zeros in place of the others, which are not read. */
// @inline
function loadUpTo4(from: usize, count: i32): v128 {
  if (count >= 4) return v128.load(from);
  if (count <= 0) return f32x4.splat(0);
  return loadFirst(from, count);
}
