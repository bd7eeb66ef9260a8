import { entropy, logSumExp } from './distribution.js';

/**
 * Keeps the tokens whose information, −log p, is closest to the entropy of the distribution, as many as make up a share
 * of the probability (Meister et al., "Locally Typical Sampling", 2022; transformers' `TypicalLogitsWarper`). The token
 * that reaches the share is kept, and with it all that are as close.
 *
 * @param scores [V]
 * @param mass 0 < mass ≤ 1; 1 removes nothing.
 * @param minTokensToKeep At least so many are kept, 1 by default.
 * @returns New scores [V].
 */
export function typicalP(scores: Float32Array, mass: number, minTokensToKeep = 1): Float32Array {
  if (mass >= 1) return scores;
  const total = logSumExp(scores);
  const expected = entropy(scores);
  const distance = Float64Array.from(scores, (score) => Math.abs(total - score - expected));
  // What is removed already is infinitely far away; sorting only the rest is quick after another filter.
  const order = [...distance.keys()]
    .filter((id) => scores[id] > -Infinity)
    .sort((a, b) => distance[a] - distance[b] || a - b);
  let sum = 0;
  let last = 0;
  while (last < order.length) {
    sum += Math.exp(scores[order[last]] - total);
    if (sum >= mass) break;
    last++;
  }
  if (last >= order.length) return scores;
  const threshold = distance[order[last]];
  const kept = new Set(order.slice(0, minTokensToKeep));
  return scores.map((score, id) => (distance[id] > threshold && !kept.has(id) ? -Infinity : score));
}
