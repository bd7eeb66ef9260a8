/**
 * Removes tokens whose probability is below a share of the highest one (Nguyen et al., "Turning Up the Heat: Min-p
 * Sampling", 2025; transformers' `MinPLogitsWarper`).
 *
 * @param scores [V]
 * @param share 0 … 1; 0 removes nothing.
 * @returns New scores [V].
 */
export function minP(scores: Float32Array, share: number): Float32Array {
  let highest = -Infinity;
  for (const score of scores) if (score > highest) highest = score;
  return scores.map((score) => (Math.exp(score - highest) < share ? -Infinity : score));
}
