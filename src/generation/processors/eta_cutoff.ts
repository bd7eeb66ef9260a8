import { entropy } from './distribution.js';
import { epsilonCutoff } from './epsilon_cutoff.js';

/**
 * Removes tokens whose probability is below η = min(ε, √ε · exp(−entropy)): the flatter the distribution, the lower
 * the bar (Hewitt et al., "Truncation Sampling as Language Model Desmoothing", 2022; transformers' `EtaLogitsWarper`).
 *
 * @param scores [V]
 * @param epsilon 0 < ε < 1.
 * @param minTokensToKeep At least so many are kept, 1 by default; those that tie with the last of them too.
 * @returns New scores [V].
 */
export function etaCutoff(
  scores: Float32Array,
  epsilon: number,
  minTokensToKeep = 1,
): Float32Array {
  const eta = Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-entropy(scores)));
  return epsilonCutoff(scores, eta, minTokensToKeep);
}
