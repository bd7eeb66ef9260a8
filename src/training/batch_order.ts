/** In which order the rows of a dataset come: shuffled by a seed, and rows of like length together where that is wanted. */
import { philox } from '../util/random.js';

/** What the order of an epoch follows from. */
export interface BatchOrderOptions {
  /** B: rows a batch. */
  batchSize: number;
  /** Integer from which the order of every epoch follows. */
  seed: number;
  /** Number of the epoch, from 0. */
  epoch: number;
  /** Whether rows come in another order every epoch. */
  shuffle: boolean;
  /** Length of a row; given, the batches hold rows of like length. */
  lengthOf?: ((row: number) => number) | undefined;
}

/** Batches that are sorted by length among themselves: large enough for little padding, small enough to stay random. */
const POOL = 50;

/**
 * The order of an epoch: batch i holds the rows `order[i·B] … order[(i+1)·B − 1]`.
 *
 * With lengths, the rows are shuffled, sorted by length within pools of 50 batches, cut into batches, and the batches
 * shuffled; so every epoch still draws its batches anew. Without shuffling, they are sorted from the shortest to the
 * longest. A last batch that is not full stays the last one.
 *
 * @param count Number of rows.
 * @param options See `BatchOrderOptions`.
 * @returns A permutation of 0 … count−1.
 */
export function batchOrder(count: number, options: BatchOrderOptions): Uint32Array {
  const { batchSize, seed, epoch, shuffle, lengthOf } = options;
  const order = shuffle
    ? permutation(count, seed, 2 * epoch)
    : Uint32Array.from({ length: count }, (_, i) => i);
  if (lengthOf === undefined) return order;
  const pool = shuffle ? POOL * batchSize : count;
  for (let start = 0; start < count; start += pool) {
    const part = order.subarray(start, start + pool);
    part.set(Array.from(part).sort((a, b) => lengthOf(a) - lengthOf(b)));
  }
  if (!shuffle) return order;
  const full = Math.floor(count / batchSize);
  const mixed = order.slice();
  permutation(full, seed, 2 * epoch + 1).forEach((from, to) =>
    mixed.set(order.subarray(from * batchSize, (from + 1) * batchSize), to * batchSize),
  );
  return mixed;
}

/**
 * A permutation of 0 … count−1 by the shuffle of Fisher and Yates.
 *
 * @param count How many.
 * @param seed Integer, 0 … 2⁵³−1.
 * @param call Number of the call: another one gives another permutation.
 * @returns The permutation.
 */
export function permutation(count: number, seed: number, call: number): Uint32Array {
  const words = philox(seed, call, count);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor((words[i] / 2 ** 32) * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
