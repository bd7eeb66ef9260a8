import { kthHighest, logSumExp } from './distribution.js';

/**
 * Removes tokens whose probability is below ε (Hewitt et al., "Truncation Sampling as Language Model Desmoothing", 2022;
 * transformers' `EpsilonLogitsWarper`).
 *
 * @param scores [V]
 * @param epsilon 0 < ε < 1.
 * @param minTokensToKeep At least so many are kept, 1 by default; those that tie with the last of them too.
 * @returns New scores [V].
 */
export function epsilonCutoff(
  scores: Float32Array,
  epsilon: number,
  minTokensToKeep = 1,
): Float32Array {
  const total = logSumExp(scores);
  const always = kthHighest(scores, minTokensToKeep);
  return scores.map((score) =>
    Math.exp(score - total) < epsilon && score < always ? -Infinity : score,
  );
}
