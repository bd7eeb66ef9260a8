import { loadFirst, storeFirst } from './partial';
import { keptLanes, philox32 } from './philox';

/**
 * y[i] = x[i] · multiplier i of a call (see `dropoutMultipliers`), for `size` numbers. The backward pass is the same
 * with dy for x: the numbers are made again instead of being kept.
 *
 * @param scratch 128 bytes.
 * @param threshold The rate times 2²⁴, rounded up.
 * @param scale 1 / (1 − rate).
 */
export function dropout(
  x: usize,
  y: usize,
  scratch: usize,
  size: i32,
  threshold: i32,
  scale: f32,
  seedLow: i32,
  seedHigh: i32,
  callLow: i32,
  callHigh: i32,
): void {
  const limit = i32x4.splat(threshold);
  const kept = f32x4.splat(scale);
  let block: u64 = 0;
  for (; size >= 32; size -= 32) {
    philox32(y, block, seedLow, seedHigh, callLow, callHigh);
    block += 8;
    for (const end = y + 128; y < end; y += 16) {
      // A product, not a selection: 0·∞ is NaN, as in the reference.
      v128.store(y, f32x4.mul(v128.load(x), v128.and(keptLanes(y, limit), kept)));
      x += 16;
    }
  }
  philox32(scratch, block, seedLow, seedHigh, callLow, callHigh);
  for (; size >= 4; size -= 4) {
    v128.store(y, f32x4.mul(v128.load(x), v128.and(keptLanes(scratch, limit), kept)));
    x += 16;
    y += 16;
    scratch += 16;
  }
  if (size) {
    const multiplier = v128.and(keptLanes(scratch, limit), kept);
    storeFirst(y, f32x4.mul(loadFirst(x, size), multiplier), size);
  }
}
