/** The last elements of an array, where four no longer fit. */

/** The `count` floats at `p`, 1 to 3, in the first lanes; 0 in the others. Reads nothing behind them. */
// @inline
export function loadFirst(p: usize, count: i32): v128 {
  let x = v128.load32_zero(p);
  if (count > 1) x = v128.load32_lane(p, x, 1, 4);
  if (count > 2) x = v128.load32_lane(p, x, 2, 8);
  return x;
}

/** Writes the first `count` lanes, 1 to 3, to `p`, and nothing behind them. */
// @inline
export function storeFirst(p: usize, x: v128, count: i32): void {
  v128.store32_lane(p, x, 0);
  if (count > 1) v128.store32_lane(p, x, 1, 4);
  if (count > 2) v128.store32_lane(p, x, 2, 8);
}

/** The first `count` lanes, 0 to 4, and 0 in the others, whatever they were. */
// @inline
export function keepFirst(x: v128, count: i32): v128 {
  return v128.and(x, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count)));
}
