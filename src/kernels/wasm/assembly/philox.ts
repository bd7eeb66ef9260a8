/**
 * Philox4x32-10, four blocks at once: the same bits as `src/util/random.ts`, about 15 instructions a number.
 *
 * A pair of 64-bit numbers that the host has (seed, call) comes as two 32-bit halves each.
 */

/** The words of low significance of the products of four lanes with a constant. */
// @inline
function low(even: v128, odd: v128): v128 {
  return v128.shuffle<i32>(even, odd, 0, 2, 4, 6);
}

/** The words of high significance. */
// @inline
function high(even: v128, odd: v128): v128 {
  return v128.shuffle<i32>(even, odd, 1, 3, 5, 7);
}

/** The low half of the block number in four lanes: block + i. */
// @inline
function firstWord(block: u64): v128 {
  return i32x4.add(i32x4.splat(<i32>block), i32x4(0, 1, 2, 3));
}

/** The high half; a carry may come between two lanes. */
// @inline
function secondWord(block: u64): v128 {
  const high = <i32>(block >> 32);
  if (<u32>block < 0xfffffffd) return i32x4.splat(high);
  return i32x4(high, <i32>((block + 1) >> 32), <i32>((block + 2) >> 32), <i32>((block + 3) >> 32));
}

/** Writes the words of four blocks, one in each lane, block by block: a 4×4 transpose. */
// @inline
function storeBlocks(out: usize, c0: v128, c1: v128, c2: v128, c3: v128): void {
  const a = v128.shuffle<i32>(c0, c1, 0, 4, 1, 5);
  const b = v128.shuffle<i32>(c2, c3, 0, 4, 1, 5);
  const c = v128.shuffle<i32>(c0, c1, 2, 6, 3, 7);
  const d = v128.shuffle<i32>(c2, c3, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<i64>(a, b, 0, 2));
  v128.store(out, v128.shuffle<i64>(a, b, 1, 3), 16);
  v128.store(out, v128.shuffle<i64>(c, d, 0, 2), 32);
  v128.store(out, v128.shuffle<i64>(c, d, 1, 3), 48);
}

/**
 * Writes 16 random words: those of the blocks `block` … `block + 3`, in the order of their flat index
 * (4·block, 4·block + 1, …).
 *
 * @param out 64 bytes.
 * @param block First block; may run past 2³².
 */
export function philox16(
  out: usize,
  block: u64,
  seedLow: i32,
  seedHigh: i32,
  callLow: i32,
  callHigh: i32,
): void {
  let c0 = firstWord(block);
  let c1 = secondWord(block);
  let c2 = i32x4.splat(callLow);
  let c3 = i32x4.splat(callHigh);
  let k0 = i32x4.splat(seedLow);
  let k1 = i32x4.splat(seedHigh);
  const m0 = i32x4.splat(0xd2511f53);
  const m1 = i32x4.splat(0xcd9e8d57);
  const w0 = i32x4.splat(0x9e3779b9);
  const w1 = i32x4.splat(0xbb67ae85);
  let rounds = 10;
  // do … while, because V8 takes constants out of a loop only where its body runs at least once.
  do {
    const even0 = i64x2.extmul_low_i32x4_u(c0, m0);
    const odd0 = i64x2.extmul_high_i32x4_u(c0, m0);
    const even1 = i64x2.extmul_low_i32x4_u(c2, m1);
    const odd1 = i64x2.extmul_high_i32x4_u(c2, m1);
    c0 = v128.xor(v128.xor(high(even1, odd1), c1), k0);
    c2 = v128.xor(v128.xor(high(even0, odd0), c3), k1);
    c1 = low(even1, odd1);
    c3 = low(even0, odd0);
    k0 = i32x4.add(k0, w0);
    k1 = i32x4.add(k1, w1);
  } while (--rounds);
  storeBlocks(out, c0, c1, c2, c3);
}

/**
 * Writes 32 random words, those of eight blocks, as {@link philox16} writes 16. Two chains of rounds side by side: one
 * alone waits for its multiplications (485 million words a second; two: 700).
 *
 * @param out 128 bytes.
 */
export function philox32(
  out: usize,
  block: u64,
  seedLow: i32,
  seedHigh: i32,
  callLow: i32,
  callHigh: i32,
): void {
  let c0 = firstWord(block);
  let c1 = secondWord(block);
  let c2 = i32x4.splat(callLow);
  let c3 = i32x4.splat(callHigh);
  let d0 = firstWord(block + 4);
  let d1 = secondWord(block + 4);
  let d2 = c2;
  let d3 = c3;
  let k0 = i32x4.splat(seedLow);
  let k1 = i32x4.splat(seedHigh);
  const m0 = i32x4.splat(0xd2511f53);
  const m1 = i32x4.splat(0xcd9e8d57);
  const w0 = i32x4.splat(0x9e3779b9);
  const w1 = i32x4.splat(0xbb67ae85);
  let rounds = 10;
  do {
    const even0 = i64x2.extmul_low_i32x4_u(c0, m0);
    const odd0 = i64x2.extmul_high_i32x4_u(c0, m0);
    const even1 = i64x2.extmul_low_i32x4_u(c2, m1);
    const odd1 = i64x2.extmul_high_i32x4_u(c2, m1);
    c0 = v128.xor(v128.xor(high(even1, odd1), c1), k0);
    c2 = v128.xor(v128.xor(high(even0, odd0), c3), k1);
    c1 = low(even1, odd1);
    c3 = low(even0, odd0);
    const even2 = i64x2.extmul_low_i32x4_u(d0, m0);
    const odd2 = i64x2.extmul_high_i32x4_u(d0, m0);
    const even3 = i64x2.extmul_low_i32x4_u(d2, m1);
    const odd3 = i64x2.extmul_high_i32x4_u(d2, m1);
    d0 = v128.xor(v128.xor(high(even3, odd3), d1), k0);
    d2 = v128.xor(v128.xor(high(even2, odd2), d3), k1);
    d1 = low(even3, odd3);
    d3 = low(even2, odd2);
    k0 = i32x4.add(k0, w0);
    k1 = i32x4.add(k1, w1);
  } while (--rounds);
  storeBlocks(out, c0, c1, c2, c3);
  storeBlocks(out + 64, d0, d1, d2, d3);
}

/** All ones in the lanes of the four words at `p` whose element is kept: (word >>> 8) ≥ threshold. */
// @inline
export function keptLanes(p: usize, threshold: v128): v128 {
  return i32x4.ge_s(i32x4.shr_u(v128.load(p), 8), threshold);
}

/**
 * The multipliers of dropout for the elements `first` … `first + count − 1` of a call: `scale` where
 * (word >>> 8) ≥ `threshold`, else 0. `first` may be any index; whole blocks of words are made and those outside the
 * range left out.
 *
 * @param out `count` floats.
 * @param scratch 64 bytes.
 * @param threshold The rate times 2²⁴, rounded up.
 * @param scale 1 / (1 − rate).
 */
export function dropoutMultipliers(
  out: usize,
  scratch: usize,
  first: u64,
  count: i32,
  threshold: i32,
  scale: f32,
  seedLow: i32,
  seedHigh: i32,
  callLow: i32,
  callHigh: i32,
): void {
  const limit = i32x4.splat(threshold);
  const kept = f32x4.splat(scale);
  let block = first >> 2;
  let skip = <i32>(first & 3); // words of the first group that come before the range
  while (count > 0) {
    if (skip == 0 && count >= 32) {
      philox32(out, block, seedLow, seedHigh, callLow, callHigh);
      for (const end = out + 128; out < end; out += 16)
        v128.store(out, v128.and(keptLanes(out, limit), kept));
      count -= 32;
      block += 8;
      continue;
    }
    philox16(scratch, block, seedLow, seedHigh, callLow, callHigh);
    for (let at = scratch; at < scratch + 64; at += 16)
      v128.store(at, v128.and(keptLanes(at, limit), kept));
    const made = min(16 - skip, count);
    const from = scratch + ((<usize>skip) << 2);
    for (let i: usize = 0; i < (<usize>made) << 2; i += 4) store<f32>(out + i, load<f32>(from + i));
    out += (<usize>made) << 2;
    count -= made;
    block += 4;
    skip = 0;
  }
}
