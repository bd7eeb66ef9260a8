/** A row of scores as a distribution. Sums are in double precision. */

/**
 * The logarithm of Σ exp(score).
 *
 * @param scores [V]
 * @returns The sum; −Infinity when every token is removed.
 */
export function logSumExp(scores: Float32Array): number {
  let highest = -Infinity;
  for (const score of scores) if (score > highest) highest = score;
  if (highest === -Infinity) return -Infinity;
  let total = 0;
  for (const score of scores) total += Math.exp(score - highest);
  return highest + Math.log(total);
}

/**
 * Entropy −Σ p·log p of softmax(scores), in nats.
 *
 * @param scores [V]
 * @returns The entropy; removed tokens count nothing.
 */
export function entropy(scores: Float32Array): number {
  const total = logSumExp(scores);
  let sum = 0;
  for (const score of scores) {
    if (score > -Infinity) sum -= Math.exp(score - total) * (score - total);
  }
  return sum;
}

/**
 * The k-th highest score.
 *
 * @param scores [V]
 * @param k 1 … V; more means V.
 * @returns The score.
 */
export function kthHighest(scores: Float32Array, k: number): number {
  if (k === 1) {
    let highest = -Infinity;
    for (const score of scores) if (score > highest) highest = score;
    return highest;
  }
  // A typed array sorts numbers natively, without a comparator.
  return Float32Array.from(scores).sort()[Math.max(0, scores.length - k)];
}
