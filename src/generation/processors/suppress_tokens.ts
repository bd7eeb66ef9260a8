/**
 * Removes tokens (transformers' `SuppressTokensLogitsProcessor`; with a condition on the length also its
 * `SuppressTokensAtBeginLogitsProcessor`, and for the end tokens its `MinLengthLogitsProcessor` and
 * `MinNewTokensLengthLogitsProcessor`).
 *
 * @param scores [V]
 * @param ids Tokens to remove.
 * @returns New scores [V].
 */
export function suppressTokens(scores: Float32Array, ids: readonly number[]): Float32Array {
  const changed = Float32Array.from(scores);
  for (const id of ids) changed[id] = -Infinity;
  return changed;
}
