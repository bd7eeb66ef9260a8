/**
 * The innermost piece of every matrix product: a tile of 4 rows and 8 columns, kept in 8 registers while it runs
 * along k. The rows come from a strip, in which every number is repeated four times (see pack.ts), the columns from a
 * panel.
 *
 * How it came to be, in GFLOP/s of the loop alone, plain and fused, on V8 of Node 20 (16 registers; 40 and 59 is what
 * multiplying and adding in registers reaches):
 *
 *     4×8, one k a turn, A repeated       41   52
 *     4×8, A packed, repeated by loading  38   50   a load that repeats costs V8 an address where it has an offset
 *     4×8, A in place                     34   46   four pointers, each extended to 64 bits in every turn
 *     4×8, two and four k a turn          40   47, 31   33   V8 sorts the additions by sum, and spills loads
 *     5×8, 6×8                            42   51, 28   54   a product without fusing needs one register more
 *     3×12, 2×16                          35   48, 39   48
 */
import { madd } from './simd';

/** Rows of a tile. */
export const TILE_ROWS: i32 = 4;
/** Columns of a tile. */
export const TILE_COLUMNS: i32 = 8;
/** Bytes of a strip for each k: 4 numbers, each four times. */
export const STRIP_BYTES: usize = 64;
/** Bytes of a packed panel for each k: 8 numbers. */
export const PANEL_BYTES: usize = 32;
/** Bytes of a tile on its own. */
export const TILE_BYTES: usize = 128;

/**
 * C[4, 8] = strip·panel (+ C) (+ bias).
 *
 * @param strip 4 rows of A: for each k, 4 numbers each repeated four times.
 * @param panel 8 columns of B: for each k, 8 numbers.
 * @param panelStride Bytes from one k to the next: 32 where the panel is packed, the leading dimension where B is
 *   read in place.
 * @param k Terms of the sum, at least 1.
 * @param c Where the tile goes; all 4 × 8 numbers are written.
 * @param ldc Bytes from one row of C to the next.
 * @param accumulate Whether C is added to, not overwritten.
 * @param bias 8 numbers to add to each row, or 0.
 */
export function tile(
  strip: usize,
  panel: usize,
  panelStride: usize,
  k: i32,
  c: usize,
  ldc: usize,
  accumulate: bool,
  bias: usize,
): void {
  multiplyTile(false, 0, 0, 0, strip, panel, panelStride, k, c, ldc, accumulate, bias);
}

/**
 * The same with rows of A as they lie, which are packed into the strip on the way: the stores hide behind the
 * multiplications. What follows reads the strip; with few columns, packing it alone took an eighth of the time.
 *
 * @param a First number of the 4 rows.
 * @param rowStride Bytes from one row of A to the next.
 * @param kStride Bytes from one number of a row to the next.
 * @param strip Where the strip goes, 64·k bytes.
 */
export function packingTile(
  a: usize,
  rowStride: usize,
  kStride: usize,
  strip: usize,
  panel: usize,
  panelStride: usize,
  k: i32,
  c: usize,
  ldc: usize,
  accumulate: bool,
  bias: usize,
): void {
  // prettier-ignore
  multiplyTile(true, a, rowStride, kStride, strip, panel, panelStride, k, c, ldc, accumulate, bias);
}

// @inline
function multiplyTile(
  packing: bool,
  a: usize,
  rowStride: usize,
  kStride: usize,
  strip: usize,
  panel: usize,
  panelStride: usize,
  k: i32,
  c: usize,
  ldc: usize,
  accumulate: bool,
  bias: usize,
): void {
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0);
  let c31 = f32x4.splat(0);
  let from0 = a;
  let from1 = a + rowStride;
  let from2 = from1 + rowStride;
  let from3 = from2 + rowStride;
  const end = strip + <usize>k * STRIP_BYTES;
  do {
    const b0 = v128.load(panel);
    const b1 = v128.load(panel, 16);
    const a0 = packing ? v128.load32_splat(from0) : v128.load(strip);
    if (packing) v128.store(strip, a0);
    c00 = madd(a0, b0, c00);
    c01 = madd(a0, b1, c01);
    const a1 = packing ? v128.load32_splat(from1) : v128.load(strip, 16);
    if (packing) v128.store(strip, a1, 16);
    c10 = madd(a1, b0, c10);
    c11 = madd(a1, b1, c11);
    const a2 = packing ? v128.load32_splat(from2) : v128.load(strip, 32);
    if (packing) v128.store(strip, a2, 32);
    c20 = madd(a2, b0, c20);
    c21 = madd(a2, b1, c21);
    const a3 = packing ? v128.load32_splat(from3) : v128.load(strip, 48);
    if (packing) v128.store(strip, a3, 48);
    c30 = madd(a3, b0, c30);
    c31 = madd(a3, b1, c31);
    from0 += kStride;
    from1 += kStride;
    from2 += kStride;
    from3 += kStride;
    strip += STRIP_BYTES;
    panel += panelStride;
  } while (strip != end);
  const row1 = c + ldc;
  const row2 = row1 + ldc;
  const row3 = row2 + ldc;
  if (accumulate) {
    c00 = f32x4.add(c00, v128.load(c));
    c01 = f32x4.add(c01, v128.load(c, 16));
    c10 = f32x4.add(c10, v128.load(row1));
    c11 = f32x4.add(c11, v128.load(row1, 16));
    c20 = f32x4.add(c20, v128.load(row2));
    c21 = f32x4.add(c21, v128.load(row2, 16));
    c30 = f32x4.add(c30, v128.load(row3));
    c31 = f32x4.add(c31, v128.load(row3, 16));
  }
  if (bias != 0) {
    const bias0 = v128.load(bias);
    const bias1 = v128.load(bias, 16);
    c00 = f32x4.add(c00, bias0);
    c01 = f32x4.add(c01, bias1);
    c10 = f32x4.add(c10, bias0);
    c11 = f32x4.add(c11, bias1);
    c20 = f32x4.add(c20, bias0);
    c21 = f32x4.add(c21, bias1);
    c30 = f32x4.add(c30, bias0);
    c31 = f32x4.add(c31, bias1);
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  v128.store(row1, c10);
  v128.store(row1, c11, 16);
  v128.store(row2, c20);
  v128.store(row2, c21, 16);
  v128.store(row3, c30);
  v128.store(row3, c31, 16);
}

/**
 * A tile of which only some rows and columns exist: computed whole in scratch, copied where it is valid.
 *
 * @param rows Valid rows, 1 … 4.
 * @param columns Valid columns, 1 … 8.
 * @param scratch 128 bytes.
 */
export function partialTile(
  strip: usize,
  panel: usize,
  panelStride: usize,
  k: i32,
  c: usize,
  ldc: usize,
  accumulate: bool,
  bias: usize,
  rows: i32,
  columns: i32,
  scratch: usize,
): void {
  tile(strip, panel, panelStride, k, scratch, PANEL_BYTES, false, 0);
  const bytes = (<usize>columns) << 2;
  for (let row = 0; row < rows; row++) {
    for (let j: usize = 0; j < bytes; j += 4) {
      let value = load<f32>(scratch + j);
      if (accumulate) value += load<f32>(c + j);
      if (bias != 0) value += load<f32>(bias + j);
      store<f32>(c + j, value);
    }
    scratch += PANEL_BYTES;
    c += ldc;
  }
}
