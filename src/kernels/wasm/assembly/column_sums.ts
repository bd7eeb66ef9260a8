import { GROUP } from './row_sums';

/**
 * y[j] = Σᵢ x[i, j]: the gradient of a bias.
 *
 * Rows are added in groups of 64 and the groups then, so that the error does not grow with their number.
 *
 * @param x [rows, columns].
 * @param y [columns].
 */
export function columnSums(x: usize, rows: i32, columns: i32, y: usize): void {
  const bytes = (<usize>columns) << 2;
  memory.fill(y, 0, bytes);
  for (; rows > 0; rows -= GROUP) {
    const group = min(rows, GROUP);
    let j: usize = 0;
    // 16 columns are one line of the cache, and 4 sums at a time hide the latency of an addition.
    for (; j + 64 <= bytes; j += 64) {
      let s0 = f32x4.splat(0);
      let s1 = f32x4.splat(0);
      let s2 = f32x4.splat(0);
      let s3 = f32x4.splat(0);
      let from = x + j;
      for (let i = group; i > 0; i--) {
        s0 = f32x4.add(s0, v128.load(from));
        s1 = f32x4.add(s1, v128.load(from, 16));
        s2 = f32x4.add(s2, v128.load(from, 32));
        s3 = f32x4.add(s3, v128.load(from, 48));
        from += bytes;
      }
      v128.store(y + j, f32x4.add(v128.load(y + j), s0));
      v128.store(y + j, f32x4.add(v128.load(y + j, 16), s1), 16);
      v128.store(y + j, f32x4.add(v128.load(y + j, 32), s2), 32);
      v128.store(y + j, f32x4.add(v128.load(y + j, 48), s3), 48);
    }
    for (; j < bytes; j += 4) {
      let sum: f32 = 0;
      let from = x + j;
      for (let i = group; i > 0; i--) {
        sum += load<f32>(from);
        from += bytes;
      }
      store<f32>(y + j, load<f32>(y + j) + sum);
    }
    x += <usize>GROUP * bytes;
  }
}
