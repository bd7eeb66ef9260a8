/** Where the rows of one long text start. */
import { philox } from '../util/random.js';

/** How many rows a text gives, and where each starts. */
export interface Windows {
  /** Rows in every epoch. */
  count: number;
  /** Number of the first token of a row in an epoch. */
  startOf: (row: number, epoch: number) => number;
}

/**
 * Cuts a text into rows of length + 1 tokens (each token but the last is an input, each but the first a label).
 *
 * Shuffled, the cuts move by up to a stride from epoch to epoch, so that every place of the text is the start of a row
 * in some epoch; no epoch has fewer rows than another.
 *
 * @param total Tokens in the text, more than `length`.
 * @param length T: positions a row.
 * @param options `stride` from one start to the next; `seed`; `shuffle`.
 * @returns The rows.
 */
export function windows(
  total: number,
  length: number,
  options: { stride: number; seed: number; shuffle: boolean },
): Windows {
  const { stride, seed, shuffle } = options;
  const starts = total - length;
  const count = shuffle ? Math.max(1, Math.floor(starts / stride)) : Math.ceil(starts / stride);
  const slack = starts - (count - 1) * stride;
  const offset = (epoch: number): number =>
    shuffle ? Math.floor((philox(seed, 2 * epoch + 1, 1)[0] / 2 ** 32) * slack) : 0;
  return { count, startOf: (row, epoch) => offset(epoch) + row * stride };
}
