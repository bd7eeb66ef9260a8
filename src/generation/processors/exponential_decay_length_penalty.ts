import type { Sequence } from './logits_processor.js';

/**
 * Makes an end more likely the longer a row gets (transformers' `ExponentialDecayLengthPenalty`): from `start` new tokens
 * on, the score of an end token grows by |score|·(factorⁿ − 1), n tokens after the start.
 *
 * @param scores [V]
 * @param sequence What was said before.
 * @param penalty Number of new tokens after which it starts, and the factor, above 1.
 * @param eosTokenIds End tokens.
 * @returns New scores [V].
 */
export function exponentialDecayLengthPenalty(
  scores: Float32Array,
  { ids, promptLength }: Pick<Sequence, 'ids' | 'promptLength'>,
  [start, factor]: readonly [start: number, factor: number],
  eosTokenIds: readonly number[],
): Float32Array {
  const late = ids.length - promptLength - start;
  if (late <= 0) return scores;
  const changed = Float32Array.from(scores);
  for (const id of eosTokenIds) {
    // A removed end token stays removed.
    if (scores[id] > -Infinity)
      changed[id] = scores[id] + Math.abs(scores[id]) * (factor ** late - 1);
  }
  return changed;
}
