/** The next tokens that a beam search looks at, over all beams of a prompt together. */
import type { Beam, Candidate } from './beam_hypotheses.js';

/**
 * The best next tokens.
 *
 * @param beams The running beams.
 * @param scores Scores [V] of each one's next token.
 * @param count How many.
 * @returns At most `count` candidates, the best first; of equal ones the lower beam, then the lower id. None is −∞.
 */
export function bestCandidates(
  beams: readonly Beam[],
  scores: readonly Float32Array[],
  count: number,
): Candidate[] {
  const best: Candidate[] = [];
  scores.forEach((row, beam) => {
    const sum = beams[beam].score;
    for (let id = 0; id < row.length; id++) {
      const score = sum + row[id];
      const isFull = best.length === count;
      if (score === -Infinity || (isFull && !(score > best[count - 1].score))) continue;
      let place = best.length;
      while (place > 0 && score > best[place - 1].score) place--;
      best.splice(place, 0, { beam, id, score });
      if (isFull) best.pop();
    }
  });
  return best;
}

/**
 * Draws different next tokens from softmax(sums of scores), one after the other without putting back.
 *
 * @param beams The running beams.
 * @param scores Scores [V] of each one's next token.
 * @param uniforms One number in [0, 1) for each draw.
 * @returns As many candidates as there are numbers, in the order of the draws. Where fewer have a probability above 0
 *   in double precision, the best of the others follow.
 */
export function drawnCandidates(
  beams: readonly Beam[],
  scores: readonly Float32Array[],
  uniforms: ArrayLike<number>,
): Candidate[] {
  const V = scores[0].length;
  const sumOf = (i: number): number =>
    beams[Math.floor(i / V)].score + scores[Math.floor(i / V)][i % V];
  const weights = Float64Array.from({ length: scores.length * V }, (_, i) => sumOf(i));
  let highest = -Infinity;
  for (const sum of weights) if (sum > highest) highest = sum;
  if (highest === -Infinity) return [];
  for (let i = 0; i < weights.length; i++) weights[i] = Math.exp(weights[i] - highest);

  const drawn: Candidate[] = [];
  const take = (i: number): void => {
    drawn.push({ beam: Math.floor(i / V), id: i % V, score: sumOf(i) });
    weights[i] = 0;
  };
  while (drawn.length < uniforms.length) {
    let total = 0;
    for (const weight of weights) total += weight;
    if (total === 0) break;
    const target = uniforms[drawn.length] * total;
    let sum = 0;
    let i = 0;
    let last = 0; // rounding cannot lead past the last one that there is
    for (; i < weights.length; i++) {
      if (weights[i] > 0) last = i;
      sum += weights[i];
      if (sum > target) break;
    }
    take(i < weights.length ? i : last);
  }
  const isDrawn = new Set(drawn.map(({ beam, id }) => beam * V + id));
  const rest = bestCandidates(beams, scores, uniforms.length).filter(
    ({ beam, id }) => !isDrawn.has(beam * V + id),
  );
  return [...drawn, ...rest].slice(0, uniforms.length);
}
