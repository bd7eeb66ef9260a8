import { kthHighest } from './distribution.js';

/**
 * Removes all but the k tokens of the highest scores (Fan et al., 2018; transformers' `TopKLogitsWarper`). Tokens that
 * tie with the k-th are kept.
 *
 * @param scores [V]
 * @param k At least 1.
 * @param minTokensToKeep At least so many are kept, 1 by default.
 * @returns New scores [V].
 */
export function topK(scores: Float32Array, k: number, minTokensToKeep = 1): Float32Array {
  const kept = Math.max(k, minTokensToKeep);
  if (kept >= scores.length) return scores;
  const smallest = kthHighest(scores, kept);
  return scores.map((score) => (score < smallest ? -Infinity : score));
}
