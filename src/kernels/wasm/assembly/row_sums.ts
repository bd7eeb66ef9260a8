/**
 * Sums of gradients over rows are taken in groups of so many, and the groups then added: the error of adding numbers
 * one by one grows with their number, so this keeps it that of a few hundred for a few ten thousand rows.
 */
export const GROUP = 64;

/**
 * Adds the sums of a group of rows to those of all rows before, and sets them back to 0.
 *
 * @param from [bytes/4], the group's.
 * @param to [bytes/4], all.
 * @param bytes Their size.
 */
export function moveSums(from: usize, to: usize, bytes: usize): void {
  const zero = f32x4.splat(0);
  const whole = bytes & ~15;
  let i: usize = 0;
  for (; i < whole; i += 16) {
    v128.store(to + i, f32x4.add(v128.load(to + i), v128.load(from + i)));
    v128.store(from + i, zero);
  }
  for (; i < bytes; i += 4) {
    store<f32>(to + i, load<f32>(to + i) + load<f32>(from + i));
    store<f32>(from + i, 0);
  }
}
