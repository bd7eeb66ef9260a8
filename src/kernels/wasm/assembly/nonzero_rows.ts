/**
 * Rows of a gradient that are not 0. In a batch of sequences of different lengths the gradients of the padding are, in
 * every layer; products with the rows that are left give the same sums.
 */
import { copyBytes } from './copy_bytes';
import { loadFirst, storeFirst } from './partial';

/**
 * Marks the rows that hold another number than 0; NaN is one. A row that has one is left at the first.
 *
 * @param x [rows, columns].
 * @param marks A byte for each row; set to 1, or left as it is.
 */
export function markRows(x: usize, rows: i32, columns: i32, marks: usize): void {
  const zero = f32x4.splat(0);
  const bytes = (<usize>columns) << 2;
  const whole = bytes & ~15;
  const rest = columns & 3;
  for (const end = marks + <usize>rows; marks != end; marks++) {
    let i: usize = 0;
    while (i != whole && !v128.any_true(f32x4.ne(v128.load(x + i), zero))) i += 16;
    if (i != whole) store<u8>(marks, 1);
    else if (rest && v128.any_true(f32x4.ne(loadFirst(x + i, rest), zero))) store<u8>(marks, 1);
    x += bytes;
  }
}

/**
 * Writes down which rows are marked.
 *
 * @param marks A byte for each row.
 * @param list Gets their numbers, as i32; room for all rows.
 * @returns How many.
 */
export function listRows(marks: usize, rows: i32, list: usize): i32 {
  const start = list;
  for (let i = 0; i < rows; i++) {
    if (!load<u8>(marks + <usize>i)) continue;
    store<i32>(list, i);
    list += 4;
  }
  return <i32>((list - start) >> 2);
}

/**
 * Copies the listed rows together, perhaps times other numbers: y[i] = x[list[i]] · factors[list[i]].
 *
 * @param x [·, columns].
 * @param factors [·, columns], or 0 for a plain copy.
 * @param list Numbers of rows, or 0 for the first `count` rows.
 * @param count How many.
 * @param y First of them.
 * @param yRow Bytes from one to the next.
 */
export function gatherRows(
  x: usize,
  factors: usize,
  list: usize,
  count: i32,
  columns: i32,
  y: usize,
  yRow: usize,
): void {
  const bytes = (<usize>columns) << 2;
  for (let i = 0; i < count; i++) {
    const row = list == 0 ? i : load<i32>(list + ((<usize>i) << 2));
    const at = bytes * <usize>row;
    if (factors == 0) copyBytes(x + at, y, bytes);
    else multiplyRow(x + at, factors + at, y, columns);
    y += yRow;
  }
}

/** z = x·y, number by number. */
function multiplyRow(x: usize, y: usize, z: usize, columns: i32): void {
  const end = x + ((<usize>(columns & ~3)) << 2);
  while (x != end) {
    v128.store(z, f32x4.mul(v128.load(x), v128.load(y)));
    x += 16;
    y += 16;
    z += 16;
  }
  const rest = columns & 3;
  if (rest) storeFirst(z, f32x4.mul(loadFirst(x, rest), loadFirst(y, rest)), rest);
}

/**
 * Puts rows to where a list says, and 0 into all others.
 *
 * @param x [count, columns].
 * @param list Numbers of rows, in ascending order.
 * @param y [rows, columns].
 */
export function scatterRows(
  x: usize,
  list: usize,
  count: i32,
  columns: i32,
  y: usize,
  rows: i32,
): void {
  const bytes = (<usize>columns) << 2;
  const end = list + ((<usize>count) << 2);
  for (let row = 0; row < rows; row++) {
    if (list != end && load<i32>(list) == row) {
      copyBytes(x, y, bytes);
      x += bytes;
      list += 4;
    } else {
      memory.fill(y, 0, bytes);
    }
    y += bytes;
  }
}
