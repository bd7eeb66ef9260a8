import { copyBytes } from './copy_bytes';

/**
 * Transposes matrices of 4-byte elements that lie at a regular distance in up to three outer axes:
 * y[…, c, r] = x[…, r, c]. Distances are in bytes.
 *
 * @param x Input.
 * @param y Output.
 * @param n0 Size of the first outer axis.
 * @param n1 Size of the second.
 * @param n2 Size of the third.
 * @param x0 Distance of neighbours along the first in x; x1, x2 likewise.
 * @param x1 Second.
 * @param x2 Third.
 * @param y0 Distance of neighbours along the first in y; y1, y2 likewise.
 * @param y1 Second.
 * @param y2 Third.
 * @param rows Rows of a matrix in x.
 * @param columns Columns of a matrix in x, one element apart.
 * @param xRow Distance of rows in x.
 * @param yRow Distance of rows in y, which are the columns of x.
 */
export function transposeMatrices(
  x: usize,
  y: usize,
  n0: i32,
  n1: i32,
  n2: i32,
  x0: usize,
  x1: usize,
  x2: usize,
  y0: usize,
  y1: usize,
  y2: usize,
  rows: i32,
  columns: i32,
  xRow: usize,
  yRow: usize,
): void {
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      for (let k = 0; k < n2; k++) {
        const shiftX = <usize>i * x0 + <usize>j * x1 + <usize>k * x2;
        const shiftY = <usize>i * y0 + <usize>j * y1 + <usize>k * y2;
        transposeMatrix(x + shiftX, y + shiftY, rows, columns, xRow, yRow);
      }
    }
  }
}

/**
 * Copies runs of bytes that lie at a regular distance in up to three outer axes; parameters as above.
 *
 * @param bytes Length of a run.
 */
export function copyRuns(
  x: usize,
  y: usize,
  n0: i32,
  n1: i32,
  n2: i32,
  x0: usize,
  x1: usize,
  x2: usize,
  y0: usize,
  y1: usize,
  y2: usize,
  bytes: usize,
): void {
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      let from = x + <usize>i * x0 + <usize>j * x1;
      let to = y + <usize>i * y0 + <usize>j * y1;
      for (let k = 0; k < n2; k++) {
        copyBytes(from, to, bytes);
        from += x2;
        to += y2;
      }
    }
  }
}

/**
 * One matrix, by strips of 16 columns: a line of x, 64 bytes, is used whole while it is in the cache, and the 16 lines
 * of y that are being written stay there for the next rows. Strips of 8 were measured: [1024, 512] 0.25 ms in place of
 * 0.40, where the lines of y lie 4 KB apart and drive each other out, but [512, 1024] 0.32 in place of 0.17 and
 * [2048, 2048] 4.8 in place of 3.3.
 */
function transposeMatrix(
  x: usize,
  y: usize,
  rows: i32,
  columns: i32,
  xRow: usize,
  yRow: usize,
): void {
  const fourRows = rows & ~3;
  let c = 0;
  for (; c + 4 <= columns; c += 16) {
    const end = min(c + 16, columns & ~3);
    for (let r = 0; r < fourRows; r += 4) {
      let from = x + <usize>r * xRow + ((<usize>c) << 2);
      let to = y + <usize>c * yRow + ((<usize>r) << 2);
      for (let at = c; at < end; at += 4) {
        transposeBlock(from, to, xRow, yRow);
        from += 16;
        to += yRow << 2;
      }
    }
  }
  const fourColumns = columns & ~3;
  // The sides that don't fill a block, four elements at a time, so that a matrix of a few rows or columns is one pass.
  if (fourColumns < columns) {
    for (let r = 0; r < fourRows; r += 4) {
      const from = x + <usize>r * xRow;
      for (let c = fourColumns; c < columns; c++)
        gatherColumn(from + ((<usize>c) << 2), y + <usize>c * yRow + ((<usize>r) << 2), xRow);
    }
  }
  if (fourRows < rows) {
    const three = rows == 3 && yRow == 12;
    for (let c = 0; c < fourColumns; c += 4) {
      const to = y + <usize>c * yRow;
      if (three) {
        interleaveThree(x + ((<usize>c) << 2), to, xRow);
        continue;
      }
      for (let r = fourRows; r < rows; r++)
        scatterRow(x + <usize>r * xRow + ((<usize>c) << 2), to + ((<usize>r) << 2), yRow);
    }
    for (let r = fourRows; r < rows; r++) {
      for (let c = fourColumns; c < columns; c++) {
        const v = load<u32>(x + <usize>r * xRow + ((<usize>c) << 2));
        store<u32>(y + <usize>c * yRow + ((<usize>r) << 2), v);
      }
    }
  }
}

/** Four rows of one column. */
// @inline
function gatherColumn(x: usize, y: usize, xRow: usize): void {
  let v = v128.load32_splat(x);
  v = v128.load_lane<u32>(x + xRow, v, 1);
  v = v128.load_lane<u32>(x + 2 * xRow, v, 2);
  v128.store(y, v128.load_lane<u32>(x + 3 * xRow, v, 3));
}

/** Four columns of three rows that become twelve elements in one piece: planes of red, green and blue to pixels. */
// @inline
function interleaveThree(x: usize, y: usize, xRow: usize): void {
  const a = v128.load(x);
  const b = v128.load(x + xRow);
  const c = v128.load(x + 2 * xRow);
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const bc = v128.shuffle<f32>(b, c, 1, 5, 2, 6);
  const last = v128.shuffle<f32>(a, b, 3, 7, 3, 7);
  v128.store(y, v128.shuffle<f32>(ab, c, 0, 1, 4, 2));
  v128.store(y, v128.shuffle<f32>(bc, a, 0, 1, 6, 2), 16);
  v128.store(y, v128.shuffle<f32>(c, last, 2, 4, 5, 3), 32);
}

/** Four columns of one row. */
// @inline
function scatterRow(x: usize, y: usize, yRow: usize): void {
  const v = v128.load(x);
  v128.store_lane<u32>(y, v, 0);
  v128.store_lane<u32>(y + yRow, v, 1);
  v128.store_lane<u32>(y + 2 * yRow, v, 2);
  v128.store_lane<u32>(y + 3 * yRow, v, 3);
}

/** 4×4 elements in registers. */
// @inline
function transposeBlock(x: usize, y: usize, xRow: usize, yRow: usize): void {
  const a = v128.load(x);
  const b = v128.load(x + xRow);
  const c = v128.load(x + 2 * xRow);
  const d = v128.load(x + 3 * xRow);
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const ab2 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cd2 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(y, v128.shuffle<f64>(ab, cd, 0, 2));
  v128.store(y + yRow, v128.shuffle<f64>(ab, cd, 1, 3));
  v128.store(y + 2 * yRow, v128.shuffle<f64>(ab2, cd2, 0, 2));
  v128.store(y + 3 * yRow, v128.shuffle<f64>(ab2, cd2, 1, 3));
}
