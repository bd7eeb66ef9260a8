import type { Sequence } from './logits_processor.js';

/**
 * Removes each token that would complete a run of n tokens that occurred before, in the prompt or after it
 * (transformers' `NoRepeatNGramLogitsProcessor`). n = 1 removes every token seen.
 *
 * @param scores [V]
 * @param sequence What was said before.
 * @param size n, at least 1.
 * @returns New scores [V].
 */
export function noRepeatNgram(
  scores: Float32Array,
  { ids }: Pick<Sequence, 'ids'>,
  size: number,
): Float32Array {
  const changed = Float32Array.from(scores);
  const tail = ids.length - (size - 1);
  for (let start = 0; start < tail; start++) {
    let same = 0;
    while (same < size - 1 && ids[start + same] === ids[tail + same]) same++;
    if (same === size - 1) changed[ids[start + same]] = -Infinity;
  }
  return changed;
}
