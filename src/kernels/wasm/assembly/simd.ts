/** Names for what four lanes do. */

/** x·y + z in each lane; rounded once where the build has fused multiply-add, twice where not. */
// @inline
export function madd(x: v128, y: v128, z: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(x, y, z);
  return f32x4.add(f32x4.mul(x, y), z);
}

/** Sum of the four lanes, in the order (0 + 2) + (1 + 3). */
// @inline
export function sum(x: v128): f32 {
  const y = f32x4.add(x, v128.shuffle<f32>(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(y, 0) + f32x4.extract_lane(y, 1);
}
