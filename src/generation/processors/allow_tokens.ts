/**
 * Removes all tokens but given ones (transformers' `PrefixConstrainedLogitsProcessor`).
 *
 * @param scores [V]
 * @param ids Tokens that may come. Where earlier processors have removed all of them, they come back with score 0.
 * @returns New scores [V].
 */
export function allowTokens(scores: Float32Array, ids: readonly number[]): Float32Array {
  const allRemoved = ids.every((id) => scores[id] === -Infinity);
  const changed = new Float32Array(scores.length).fill(-Infinity);
  for (const id of ids) changed[id] = allRemoved ? 0 : scores[id];
  return changed;
}
