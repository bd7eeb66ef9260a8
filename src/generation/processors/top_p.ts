/**
 * Nucleus filter: keeps the smallest set of most likely tokens whose probabilities sum to at least p (Holtzman et al.,
 * "The Curious Case of Neural Text Degeneration", 2020; transformers' `TopPLogitsWarper`). A token is kept when those
 * that are more likely sum to less than p; among equal ones the lower index goes first.
 *
 * @param scores [V]
 * @param p 0 < p ≤ 1; 1 removes nothing.
 * @param minTokensToKeep At least so many are kept, 1 by default.
 * @returns New scores [V].
 */
export function topP(scores: Float32Array, p: number, minTokensToKeep = 1): Float32Array {
  if (p >= 1) return scores;
  const sorted = Float32Array.from(scores).sort(); // a typed array sorts numbers natively, without a comparator
  const last = sorted.length - 1;
  const highest = sorted[last];
  let total = 0;
  for (const score of sorted) total += Math.exp(score - highest);
  let kept = 0;
  for (let before = 0; kept <= last && (before < p * total || kept < minTokensToKeep); kept++) {
    before += Math.exp(sorted[last - kept] - highest);
  }
  const threshold = sorted[last - kept + 1];
  let ties = 0; // how many of the tokens at the threshold are kept
  while (ties < kept && sorted[last - kept + 1 + ties] === threshold) ties++;
  return scores.map((score) =>
    score > threshold || (score === threshold && ties-- > 0) ? score : -Infinity,
  );
}
