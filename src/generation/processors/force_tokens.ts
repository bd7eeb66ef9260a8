/**
 * Leaves only given tokens, all with score 0 (transformers' `ForcedBOSTokenLogitsProcessor` and
 * `ForcedEOSTokenLogitsProcessor`, at the places where these act).
 *
 * @param scores [V]
 * @param ids Tokens that stay.
 * @returns New scores [V].
 */
export function forceTokens(scores: Float32Array, ids: readonly number[]): Float32Array {
  const changed = new Float32Array(scores.length).fill(-Infinity);
  for (const id of ids) changed[id] = 0;
  return changed;
}
