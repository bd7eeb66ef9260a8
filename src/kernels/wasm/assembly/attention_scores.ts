/** What happens to a row of products before and after the exponential: scale, soft cap, bias, hiding, dropout. */
import { headOf, rowIndex, AttentionCall } from './attention_call';
import { expNegative } from './exp';
import { loadFirst, storeFirst } from './partial';
import { dropoutMultipliers } from './philox';
import { madd, sum } from './simd';
import { tanh } from './tanh';

/** Where a row of bias, mask or gradient of the bias lies, by the strides of its tensor, in elements. */
// @inline
function broadcastRow(c: AttentionCall, row: i32, b: i32, n: i32, t: i32): usize {
  return (
    <usize>c.batch * <usize>b + <usize>headOf(c, row) * <usize>n + <usize>(row % c.T) * <usize>t
  );
}

/** The mask of a row at a column of the block. */
// @inline
export function maskAt(c: AttentionCall, row: i32, column: i32): usize {
  const at = broadcastRow(c, row, c.maskB, c.maskN, c.maskT);
  return c.mask + at + <usize>(c.firstKey + column) * <usize>c.maskS;
}

/** First column of the block that a row may see by causality and window; may lie outside the block. */
// @inline
export function firstColumn(c: AttentionCall, row: i32): i32 {
  return max((row % c.T) + c.shiftFirst, 0) - c.firstKey;
}

/** The column after the last one. */
// @inline
export function lastColumn(c: AttentionCall, row: i32): i32 {
  return min((row % c.T) + c.shiftLast, c.S) - c.firstKey;
}

/**
 * Scores of a row from its products q·k·scale: softCap(product) + bias, and −∞ where the row may not see the key, so
 * that no content of a hidden key, its overflow included, is read again.
 *
 * @param c The call; the columns are `from` … `to − 1` of the block.
 * @param row The row.
 * @param p Column 0 of its products, replaced by the scores.
 * @param slope Column 0 of a row that gets the derivative of the soft cap; 0 for none.
 */
export function finishScores(c: AttentionCall, row: i32, p: usize, slope: usize): void {
  const from = (<usize>c.from) << 2;
  const to = (<usize>c.to) << 2;
  if (c.softCap > 0) capScores(p + from, p + to, c.softCap, slope ? slope + from : 0);
  if (c.bias) addBias(c, row, p);
  const first = firstColumn(c, row);
  const last = lastColumn(c, row);
  hide(p, c.from, min(first, c.to));
  hide(p, max(last, c.from), c.to);
  if (c.mask) hideMasked(c, row, p, max(first, c.from), min(last, c.to));
}

/** cap·tanh(x/cap) in place of x, and its slope 1 − tanh². */
function capScores(p: usize, end: usize, cap: f32, slope: usize): void {
  const inverse = f32x4.splat(1 / cap);
  const caps = f32x4.splat(cap);
  for (; p < end; p += 16) {
    const t = tanh(f32x4.mul(v128.load(p), inverse));
    v128.store(p, f32x4.mul(caps, t));
    if (!slope) continue;
    v128.store(slope, f32x4.sub(f32x4.splat(1), f32x4.mul(t, t)));
    slope += 16;
  }
}

function addBias(c: AttentionCall, row: i32, p: usize): void {
  const bias =
    c.bias +
    ((broadcastRow(c, row, c.biasB, c.biasN, c.biasT) +
      <usize>(c.firstKey + c.from) * <usize>c.biasS) <<
      2);
  p += (<usize>c.from) << 2;
  const count = min(c.to, c.keys) - c.from;
  if (c.biasS == 0) {
    const x = v128.load32_splat(bias);
    for (let i = 0; i < count; i += 4) {
      v128.store(p, f32x4.add(v128.load(p), x)); // columns behind the keys are hidden later
      p += 16;
    }
    return;
  }
  const end = p + ((<usize>(count & ~3)) << 2);
  let b = bias;
  for (; p < end; p += 16) {
    v128.store(p, f32x4.add(v128.load(p), v128.load(b)));
    b += 16;
  }
  const rest = count & 3;
  if (rest) storeFirst(p, f32x4.add(loadFirst(p, rest), loadFirst(b, rest)), rest);
}

/** −∞ in columns `from` … `to − 1`. */
// @inline
function hide(p: usize, from: i32, to: i32): void {
  for (let j = from; j < to; j++) store<f32>(p + ((<usize>j) << 2), -Infinity);
}

/** −∞ where the mask has 0, in columns `from` … `to − 1`. */
function hideMasked(c: AttentionCall, row: i32, p: usize, from: i32, to: i32): void {
  if (from >= to) return;
  let mask = maskAt(c, row, from);
  if (c.maskS == 0) {
    if (!load<u8>(mask)) hide(p, from, to);
    return;
  }
  const hidden = f32x4.splat(-Infinity);
  p += (<usize>from) << 2;
  let left = to - from;
  for (; left >= 4; left -= 4) {
    const bytes = v128.load32_zero(mask);
    const words = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes));
    const masked = i32x4.eq(words, i32x4.splat(0));
    v128.store(p, v128.bitselect(hidden, v128.load(p), masked));
    mask += 4;
    p += 16;
  }
  for (; left > 0; left--) {
    if (!load<u8>(mask)) store<f32>(p, -Infinity);
    mask++;
    p += 4;
  }
}

/**
 * The columns of the current block that any of some rows sees, to `c.from` and `c.to`; both 0 when there is none.
 * Causality and window cut exactly (to multiples of 8); a mask is only looked at for whether it leaves anything.
 *
 * @param c The call.
 * @param row First row.
 * @param count How many rows.
 */
export function seeColumns(c: AttentionCall, row: i32, count: i32): void {
  let from = c.keys;
  let to = 0;
  for (let r = row; r < row + count; r++) {
    const first = max(firstColumn(c, r), 0);
    const last = min(lastColumn(c, r), c.keys);
    if (first >= last) continue;
    from = min(from, first);
    to = max(to, last);
  }
  from &= ~7;
  if (from >= to || (c.mask && !anyVisible(c, row, count, from, to))) {
    c.from = 0;
    c.to = 0;
    return;
  }
  c.from = from;
  c.to = (to + 7) & ~7;
}

/** Whether the mask lets any of the rows see any of the columns. */
function anyVisible(c: AttentionCall, row: i32, count: i32, from: i32, to: i32): bool {
  let before: usize = 0;
  for (let r = row; r < row + count; r++) {
    let mask = maskAt(c, r, from);
    if (mask == before) continue; // broadcast over the rows
    before = mask;
    if (c.maskS == 0) {
      if (load<u8>(mask)) return true;
      continue;
    }
    let left = to - from;
    for (; left >= 16; left -= 16) {
      if (v128.any_true(v128.load(mask))) return true;
      mask += 16;
    }
    for (; left > 0; left--) {
      if (load<u8>(mask)) return true;
      mask++;
    }
  }
  return false;
}

/** Largest of `count` numbers, a multiple of 8; NaN are passed over. */
export function largest(p: usize, count: i32): f32 {
  let x = f32x4.splat(-Infinity);
  let y = x;
  for (const end = p + ((<usize>count) << 2); p < end; p += 32) {
    x = f32x4.pmax(x, v128.load(p));
    y = f32x4.pmax(y, v128.load(p, 16));
  }
  x = f32x4.pmax(x, y);
  x = f32x4.pmax(x, v128.shuffle<i32>(x, x, 2, 3, 0, 1));
  x = f32x4.pmax(x, v128.shuffle<i32>(x, x, 1, 0, 3, 2));
  return f32x4.extract_lane(x, 0);
}

/**
 * exp(x − shift) in place of each of `count` numbers, a multiple of 8, none above `shift`.
 *
 * @returns Their sum.
 */
export function exponentials(p: usize, count: i32, shift: f32): f32 {
  const m = f32x4.splat(shift);
  let x = f32x4.splat(0);
  let y = x;
  for (const end = p + ((<usize>count) << 2); p < end; p += 32) {
    const a = expNegative(f32x4.sub(v128.load(p), m));
    const b = expNegative(f32x4.sub(v128.load(p, 16), m));
    v128.store(p, a);
    v128.store(p, b, 16);
    x = f32x4.add(x, a);
    y = f32x4.add(y, b);
  }
  return sum(f32x4.add(x, y));
}

/**
 * What dropout multiplies the weights of a row by, 0 or 1/(1 − rate): element [b, n, i, j] has the random number of its
 * flat index in [B, N, T, S].
 *
 * @param c The call; the columns are `from` … `to − 1` of the block.
 * @param row The row.
 * @param to Column 0 of the row that gets them; the 64 bytes behind the row are used too.
 */
export function dropoutRow(c: AttentionCall, row: i32, to: usize): void {
  const index = <u64>rowIndex(c, row) * <u64>c.S + <u64>(c.firstKey + c.from);
  dropoutMultipliers(
    to + ((<usize>c.from) << 2),
    to + ((<usize>c.keyBlock) << 2),
    index,
    c.to - c.from,
    c.threshold,
    c.keep,
    c.seedLow,
    c.seedHigh,
    c.callLow,
    c.callHigh,
  );
}

/** Multiplies the columns `from` … `to − 1` of a row by those of another. */
export function multiplyRow(c: AttentionCall, p: usize, by: usize): void {
  for (let i = (<usize>c.from) << 2, end = (<usize>c.to) << 2; i < end; i += 16)
    v128.store(p + i, f32x4.mul(v128.load(p + i), v128.load(by + i)));
}

/**
 * Adds the gradient of a row's scores to the gradient of the bias, summed where the bias is broadcast.
 *
 * @param c The call; the columns are `from` … `to − 1` of the block.
 * @param row The row.
 * @param d Column 0 of the gradients; 0 where hidden.
 */
export function addBiasGradient(c: AttentionCall, row: i32, d: usize): void {
  let to =
    c.dBias +
    ((broadcastRow(c, row, c.biasB, c.biasN, c.biasT) +
      <usize>(c.firstKey + c.from) * <usize>c.biasS) <<
      2);
  d += (<usize>c.from) << 2;
  const count = min(c.to, c.keys) - c.from;
  const end = d + ((<usize>(count & ~3)) << 2);
  const rest = count & 3;
  if (c.biasS == 0) {
    let total = f32x4.splat(0);
    for (; d < end; d += 16) total = f32x4.add(total, v128.load(d));
    if (rest) total = f32x4.add(total, loadFirst(d, rest));
    store<f32>(to, load<f32>(to) + sum(total));
    return;
  }
  for (; d < end; d += 16) {
    v128.store(to, f32x4.add(v128.load(to), v128.load(d)));
    to += 16;
  }
  if (rest) storeFirst(to, f32x4.add(loadFirst(to, rest), loadFirst(d, rest)), rest);
}

/** y·factor + x for a row of any length, into y. */
export function mergeRow(y: usize, x: usize, size: i32, factor: f32): void {
  const f = f32x4.splat(factor);
  for (const end = y + ((<usize>(size & ~3)) << 2); y < end; y += 16) {
    v128.store(y, madd(v128.load(y), f, v128.load(x)));
    x += 16;
  }
  const rest = size & 3;
  if (rest) storeFirst(y, madd(loadFirst(y, rest), f, loadFirst(x, rest)), rest);
}

/** y + x for a row of any length, into y. */
export function addRow(y: usize, x: usize, size: i32): void {
  for (const end = y + ((<usize>(size & ~3)) << 2); y < end; y += 16) {
    v128.store(y, f32x4.add(v128.load(y), v128.load(x)));
    x += 16;
  }
  const rest = size & 3;
  if (rest) storeFirst(y, f32x4.add(loadFirst(y, rest), loadFirst(x, rest)), rest);
}

/** Multiplies a row of any length. */
export function scaleRow(y: usize, size: i32, factor: f32): void {
  const f = f32x4.splat(factor);
  for (const end = y + ((<usize>(size & ~3)) << 2); y < end; y += 16)
    v128.store(y, f32x4.mul(v128.load(y), f));
  const rest = size & 3;
  if (rest) storeFirst(y, f32x4.mul(loadFirst(y, rest), f), rest);
}

/** Σ x·y of two rows of any length. */
export function dotRow(x: usize, y: usize, size: i32): f32 {
  let total = f32x4.splat(0);
  for (const end = x + ((<usize>(size & ~3)) << 2); x < end; x += 16) {
    total = madd(v128.load(x), v128.load(y), total);
    y += 16;
  }
  const rest = size & 3;
  if (rest) total = madd(loadFirst(x, rest), loadFirst(y, rest), total);
  return sum(total);
}
