/**
 * Copies bytes between places that do not overlap.
 *
 * Short runs go by a loop: `memory.copy` is a call out of the module in V8, which a row of a small model doesn't repay.
 */
export function copyBytes(from: usize, to: usize, bytes: usize): void {
  if (bytes >= 1024) {
    memory.copy(to, from, bytes);
    return;
  }
  const whole = bytes & ~15;
  let i: usize = 0;
  for (; i < whole; i += 16) v128.store(to + i, v128.load(from + i));
  for (const words = bytes & ~3; i < words; i += 4) store<u32>(to + i, load<u32>(from + i));
  for (; i < bytes; i++) store<u8>(to + i, load<u8>(from + i));
}
