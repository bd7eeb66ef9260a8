import type { Sequence } from './logits_processor.js';

/**
 * Removes each token that would complete a run of n tokens that occurred before, in the prompt or after it
 * (transformers' `NoRepeatNGramLogitsProcessor`; with `seen` its `EncoderNoRepeatNGramLogitsProcessor`). n = 1 removes
 * every token seen.
 *
 * @param scores [V]
 * @param sequence What was said before.
 * @param size n, at least 1.
 * @param seen Where runs occurred; default: in what was said before.
 * @returns New scores [V].
 */
export function noRepeatNgram(
  scores: Float32Array,
  { ids }: Pick<Sequence, 'ids'>,
  size: number,
  seen: readonly number[] = ids,
): Float32Array {
  const changed = Float32Array.from(scores);
  const tail = ids.length - (size - 1);
  if (tail < 0) return changed;
  for (let start = 0; start <= seen.length - size; start++) {
    let same = 0;
    while (same < size - 1 && seen[start + same] === ids[tail + same]) same++;
    if (same === size - 1) changed[seen[start + same]] = -Infinity;
  }
  return changed;
}
