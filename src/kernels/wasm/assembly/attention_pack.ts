/** Copies of blocks of keys, values and queries in the order in which the products of attention read them. */

/**
 * Four rows, transposed, times a factor: [h][4 rows].
 *
 * @param r0 First number of row 0; rows may lie anywhere. Give a row twice where there are fewer than four.
 * @param size Numbers in a row.
 * @param to Gets 4·size numbers.
 * @param step Bytes from the four numbers of one h to those of the next.
 */
// @inline
function transposeFour(
  r0: usize,
  r1: usize,
  r2: usize,
  r3: usize,
  size: i32,
  to: usize,
  step: usize,
  factor: f32,
): void {
  const f = f32x4.splat(factor);
  for (let h = size >> 2; h > 0; h--) {
    const x0 = f32x4.mul(f, v128.load(r0));
    const x1 = f32x4.mul(f, v128.load(r1));
    const x2 = f32x4.mul(f, v128.load(r2));
    const x3 = f32x4.mul(f, v128.load(r3));
    const a = v128.shuffle<i32>(x0, x1, 0, 4, 1, 5);
    const b = v128.shuffle<i32>(x2, x3, 0, 4, 1, 5);
    const c = v128.shuffle<i32>(x0, x1, 2, 6, 3, 7);
    const d = v128.shuffle<i32>(x2, x3, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<i64>(a, b, 0, 2));
    v128.store(to + step, v128.shuffle<i64>(a, b, 1, 3));
    v128.store(to + 2 * step, v128.shuffle<i64>(c, d, 0, 2));
    v128.store(to + 3 * step, v128.shuffle<i64>(c, d, 1, 3));
    r0 += 16;
    r1 += 16;
    r2 += 16;
    r3 += 16;
    to += 4 * step;
  }
  for (let h = size & 3; h > 0; h--) {
    store<f32>(to, load<f32>(r0) * factor);
    store<f32>(to, load<f32>(r1) * factor, 4);
    store<f32>(to, load<f32>(r2) * factor, 8);
    store<f32>(to, load<f32>(r3) * factor, 12);
    r0 += 4;
    r1 += 4;
    r2 += 4;
    r3 += 4;
    to += step;
  }
}

/** Four rows as the left operand of a product, [h][4]; see `transposeFour`. */
export function packFour(
  r0: usize,
  r1: usize,
  r2: usize,
  r3: usize,
  size: i32,
  to: usize,
  factor: f32,
): void {
  transposeFour(r0, r1, r2, r3, size, to, 16, factor);
}

/**
 * Transposed panels [panel][h][8 rows]: row 8·panel + i of the source becomes column i.
 *
 * @param from First row.
 * @param step Bytes from row to row.
 * @param rows How many; columns up to a whole panel are filled with 0.
 * @param size Numbers in a row.
 * @param to Gets ⌈rows/8⌉ panels of 8·size numbers.
 */
export function packTransposed(from: usize, step: usize, rows: i32, size: i32, to: usize): void {
  const panel = (<usize>size) << 5;
  if (rows & 7) memory.fill(to + <usize>(rows >> 3) * panel, 0, panel);
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    const r0 = from + <usize>row * step;
    const r1 = r0 + step;
    const r2 = r1 + step;
    const r3 = r2 + step;
    const out = to + <usize>(row >> 3) * panel + ((<usize>(row & 4)) << 2);
    transposeFour(r0, r1, r2, r3, size, out, 32, 1);
  }
  for (; row < rows; row++) {
    let source = from + <usize>row * step;
    let out = to + <usize>(row >> 3) * panel + ((<usize>(row & 7)) << 2);
    for (let h = 0; h < size; h++) {
      store<f32>(out, load<f32>(source));
      source += 4;
      out += 32;
    }
  }
}

/**
 * One row into panels [panel][row][8], times a factor; the last panel is filled up with 0.
 *
 * @param from The row.
 * @param size Numbers in it.
 * @param to Its place in the first panel.
 * @param panelStep Bytes from panel to panel.
 * @param factor What it is multiplied by.
 */
export function packRow(from: usize, size: i32, to: usize, panelStep: usize, factor: f32): void {
  const f = f32x4.splat(factor);
  for (let i = size >> 3; i > 0; i--) {
    v128.store(to, f32x4.mul(v128.load(from), f));
    v128.store(to, f32x4.mul(v128.load(from, 16), f), 16);
    from += 32;
    to += panelStep;
  }
  const rest = size & 7;
  if (rest == 0) return;
  for (let i = 0; i < 8; i++) {
    store<f32>(to, i < rest ? load<f32>(from) * factor : 0);
    from += 4;
    to += 4;
  }
}

/**
 * Rows into panels [panel][row][8]; rows up to a multiple of 8 are filled with 0.
 *
 * @param from First row.
 * @param step Bytes from row to row.
 * @param rows How many.
 * @param size Numbers in a row.
 * @param to Gets ⌈size/8⌉ panels.
 * @param panelStep Bytes from panel to panel.
 */
export function packRows(
  from: usize,
  step: usize,
  rows: i32,
  size: i32,
  to: usize,
  panelStep: usize,
): void {
  for (let row = 0; row < rows; row++) {
    packRow(from, size, to, panelStep, 1);
    from += step;
    to += 32;
  }
  if (rows & 7) fillRows(to, 8 - (rows & 7), size, panelStep);
}

/** Rows of 0 in panels [panel][row][8]. */
export function fillRows(to: usize, rows: i32, size: i32, panelStep: usize): void {
  for (let i = (size + 7) >> 3; i > 0; i--) {
    memory.fill(to, 0, (<usize>rows) << 5);
    to += panelStep;
  }
}
