import type { Sequence } from './logits_processor.js';

/**
 * Makes tokens that occurred before less likely (Keskar et al., "CTRL", 2019; transformers'
 * `RepetitionPenaltyLogitsProcessor`): score/penalty where the score is positive, score·penalty where it is negative.
 * A token counts once however often it occurred; the prompt counts too.
 *
 * @param scores [V]
 * @param sequence What was said before.
 * @param penalty Above 1 discourages repetition, below 1 encourages it.
 * @returns New scores [V].
 */
export function repetitionPenalty(
  scores: Float32Array,
  { ids }: Pick<Sequence, 'ids'>,
  penalty: number,
): Float32Array {
  const changed = Float32Array.from(scores);
  // From the old scores, so that a token that occurs twice is not changed twice.
  for (const id of ids) changed[id] = scores[id] < 0 ? scores[id] * penalty : scores[id] / penalty;
  return changed;
}
