import type { Sequence } from './logits_processor.js';

/** A run of tokens and what is added to the score of its last one where the others stand before it. */
export type SequenceBias = readonly [ids: readonly number[], bias: number];

/**
 * Adds to the scores of tokens that would complete given runs (transformers' `SequenceBiasLogitsProcessor`, and with a
 * bias of −Infinity its `NoBadWordsLogitsProcessor`). The bias of a single token always counts, that of a longer run
 * where all its tokens but the last have just been said. Biases of one token add up.
 *
 * @param scores [V]
 * @param sequence What was said before.
 * @param biases Runs, all different, and their biases; above 0 encourages.
 * @returns New scores [V].
 */
export function sequenceBias(
  scores: Float32Array,
  { ids }: Pick<Sequence, 'ids'>,
  biases: readonly SequenceBias[],
): Float32Array {
  const changed = Float32Array.from(scores);
  for (const [run, bias] of biases) {
    const start = ids.length - (run.length - 1);
    if (start < 0) continue;
    const isSaid = run.slice(0, -1).every((id, i) => ids[start + i] === id);
    if (isSaid) changed[run[run.length - 1]] += bias;
  }
  return changed;
}
