/** The proof: one word is changed, and the output of every row is compared bit by bit. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { makeMasks, runModel, type MaskChoice } from './attention_steps.js';
import { withWord, type Sequence } from './sentence.js';

/** The four ways to switch two masks. */
export const CHOICES: readonly MaskChoice[] = [
  { padding: false, causal: false },
  { padding: true, causal: false },
  { padding: false, causal: true },
  { padding: true, causal: true },
];

/** What became of one row of the output. */
export interface RowChange {
  /** Whether all its numbers are the same bits as before. */
  identical: boolean;
  /** Largest difference of its numbers. */
  difference: number;
}

/**
 * Replaces one token and compares the output of the model before and after, under each choice of masks.
 *
 * @param model What `makeModel` returned.
 * @param sequence The tokens; the masks are made of these.
 * @param place Which token changes.
 * @param word Into what.
 * @returns For each of `CHOICES` one entry a row.
 */
export async function whoNotices(
  model: tfl.LayersModel,
  sequence: Sequence,
  place: number,
  word: string,
): Promise<RowChange[][]> {
  const changed = withWord(sequence, place, word);
  const T = sequence.ids.length;
  const results: RowChange[][] = [];
  for (const choice of CHOICES) {
    await new Promise((resolve) => setTimeout(resolve)); // the page stays responsive
    const { padding, causal, visible } = makeMasks(sequence, choice);
    const outputs = [sequence, changed].map(({ ids }) =>
      tf.tidy(() => tf.clone(runModel(model, ids, visible).at(-1)!)),
    );
    const [before, after] = [await outputs[0].data(), await outputs[1].data()];
    tf.dispose([padding, causal, visible, ...outputs]);
    results.push(compareRows(before as Float32Array, after as Float32Array, T));
  }
  return results;
}

/**
 * Compares two outputs row by row.
 *
 * @param before Values of [T, D].
 * @param after Values of the same shape.
 * @param T Number of rows.
 * @returns One entry a row.
 */
export function compareRows(before: Float32Array, after: Float32Array, T: number): RowChange[] {
  const D = before.length / T;
  const bits = [before, after].map((values) => new Uint32Array(Float32Array.from(values).buffer));
  return Array.from({ length: T }, (_, row) => {
    let identical = true;
    let difference = 0;
    for (let i = row * D; i < (row + 1) * D; i++) {
      if (bits[0][i] !== bits[1][i]) identical = false;
      difference = Math.max(difference, Math.abs(before[i] - after[i]));
    }
    return { identical, difference };
  });
}
