import { kthHighest } from './distribution.js';

/**
 * Removes tokens whose probability is below a share of the highest one (Nguyen et al., "Turning Up the Heat: Min-p
 * Sampling", 2025; transformers' `MinPLogitsWarper`).
 *
 * @param scores [V]
 * @param share 0 … 1; 0 removes nothing.
 * @param minTokensToKeep At least so many are kept, 1 by default; those that tie with the last of them too.
 * @returns New scores [V].
 */
export function minP(scores: Float32Array, share: number, minTokensToKeep = 1): Float32Array {
  const highest = kthHighest(scores, 1);
  const always = minTokensToKeep > 1 ? kthHighest(scores, minTokensToKeep) : highest;
  return scores.map((score) =>
    Math.exp(score - highest) < share && score < always ? -Infinity : score,
  );
}
