import { copyBytes } from './copy_bytes';

/**
 * y[i] = table[ids[i]]. An id out of range gives zeros: it must not read beside the table.
 *
 * @param table [vocabulary, rowBytes/4]
 * @param ids int32 [count]
 * @param y [count, rowBytes/4]
 * @param count How many ids.
 * @param vocabulary Rows of the table.
 * @param rowBytes Bytes a row.
 */
export function embeddingLookup(
  table: usize,
  ids: usize,
  y: usize,
  count: i32,
  vocabulary: i32,
  rowBytes: usize,
): void {
  for (let i = 0; i < count; i++) {
    const id = load<u32>(ids);
    if (id < <u32>vocabulary) copyBytes(table + <usize>id * rowBytes, y, rowBytes);
    else memory.fill(y, 0, rowBytes);
    ids += 4;
    y += rowBytes;
  }
}

/**
 * y[s] = Σ x[i] over the i with ids[i] = s, added in the order of i. Ids out of range are left out.
 *
 * @param x float32 [count, size]
 * @param ids int32 [count]
 * @param y float32 [segments, size]
 * @param count How many ids.
 * @param segments Rows of y.
 * @param size Elements a row.
 */
export function segmentSum(
  x: usize,
  ids: usize,
  y: usize,
  count: i32,
  segments: i32,
  size: i32,
): void {
  const bytes = (<usize>size) << 2;
  const whole = bytes & ~15;
  memory.fill(y, 0, <usize>segments * bytes);
  for (let i = 0; i < count; i++) {
    const id = load<u32>(ids);
    if (id < <u32>segments) {
      const to = y + <usize>id * bytes;
      let j: usize = 0;
      for (; j < whole; j += 16) v128.store(to + j, f32x4.add(v128.load(to + j), v128.load(x + j)));
      for (; j < bytes; j += 4) store<f32>(to + j, load<f32>(to + j) + load<f32>(x + j));
    }
    ids += 4;
    x += bytes;
  }
}

/** The same for int32, which wraps around. See `segmentSum`. */
export function segmentSumInteger(
  x: usize,
  ids: usize,
  y: usize,
  count: i32,
  segments: i32,
  size: i32,
): void {
  const bytes = (<usize>size) << 2;
  memory.fill(y, 0, <usize>segments * bytes);
  for (let i = 0; i < count; i++) {
    const id = load<u32>(ids);
    if (id < <u32>segments) {
      const to = y + <usize>id * bytes;
      for (let j: usize = 0; j < bytes; j += 4)
        store<i32>(to + j, load<i32>(to + j) + load<i32>(x + j));
    }
    ids += 4;
    x += bytes;
  }
}
