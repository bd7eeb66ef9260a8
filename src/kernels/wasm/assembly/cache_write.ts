import { copyBytes } from './copy_bytes';

/**
 * Copies runs of bytes that lie at a regular distance, here and there: the new rows of each sequence to their place in
 * its part of the buffer, or from it.
 *
 * @param from First run.
 * @param to Where it goes.
 * @param count How many runs.
 * @param bytes Length of a run.
 * @param fromStep Distance of the runs.
 * @param toStep Distance of the places they go to.
 */
export function copyRows(
  from: usize,
  to: usize,
  count: i32,
  bytes: usize,
  fromStep: usize,
  toStep: usize,
): void {
  for (let i = 0; i < count; i++) {
    copyBytes(from, to, bytes);
    from += fromStep;
    to += toStep;
  }
}

/**
 * Sets such runs to 0.
 *
 * @param to First run.
 * @param count How many runs.
 * @param bytes Length of a run.
 * @param step Distance of the runs.
 */
export function clearRows(to: usize, count: i32, bytes: usize, step: usize): void {
  for (let i = 0; i < count; i++) {
    memory.fill(to, 0, bytes);
    to += step;
  }
}
