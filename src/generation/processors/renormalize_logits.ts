import { logSumExp } from './distribution.js';

/**
 * Turns scores into logarithms of probabilities that sum to 1 (transformers' `LogitNormalization`): log softmax.
 *
 * @param scores [V]
 * @returns New scores [V]; the same ones when every token is removed.
 */
export function renormalizeLogits(scores: Float32Array): Float32Array {
  const total = logSumExp(scores);
  return total === -Infinity ? scores : scores.map((score) => score - total);
}
