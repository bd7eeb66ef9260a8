/** How many of the most likely tokens are looked at. */
const CANDIDATES = 100;

/**
 * Keeps the most likely tokens whose terms −p·log p sum to at most a share of the entropy, and always the first
 * (Baghaei Potraghloo et al., "Top-H Decoding", 2025; transformers' `TopHLogitsWarper`). Probabilities and entropy are
 * those among the 100 most likely tokens; the others are removed.
 *
 * @param scores [V]
 * @param share 0 < share ≤ 1.
 * @returns New scores [V].
 */
export function topH(scores: Float32Array, share: number): Float32Array {
  const order = [...scores.keys()]
    .filter((id) => scores[id] > -Infinity)
    .sort((a, b) => scores[b] - scores[a] || a - b)
    .slice(0, CANDIDATES);
  const weights = order.map((id) => Math.exp(scores[id] - scores[order[0]]));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const terms = weights.map((weight) => {
    const p = weight / total;
    return p > 0 ? -p * Math.log(p) : 0;
  });
  const limit = share * terms.reduce((sum, term) => sum + term, 0);
  const changed = new Float32Array(scores.length).fill(-Infinity);
  let sum = 0;
  order.forEach((id, i) => {
    sum += terms[i];
    // At share 1 the last partial sum is the limit itself, to the last bit.
    if (i === 0 || sum <= limit) changed[id] = scores[id];
  });
  return changed;
}
