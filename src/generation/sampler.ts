/** The choice of a token from a row of scores. It happens on the host: TensorFlow.js' `multinomial` is wrong on WebGPU. */
import { philox } from '../util/random.js';

/**
 * The token of the highest score; among equal ones the lowest id.
 *
 * @param scores [V]
 * @returns Its id, or −1 when no score is finite.
 */
export function greedy(scores: Float32Array): number {
  let best = -1;
  let highest = -Infinity;
  for (let id = 0; id < scores.length; id++) {
    if (scores[id] > highest) {
      highest = scores[id];
      best = id;
    }
  }
  return best;
}

/**
 * Draws a token from softmax(scores), by inverting the cumulative distribution in double precision: the first id at
 * which the sum of probabilities exceeds `uniform`.
 *
 * @param scores [V]
 * @param uniform 0 ≤ uniform < 1
 * @returns Its id; never one whose score is −Infinity. −1 when no score is finite.
 */
export function sample(scores: Float32Array, uniform: number): number {
  const best = greedy(scores);
  if (best < 0) return best;
  const highest = scores[best];
  let total = 0;
  for (let id = 0; id < scores.length; id++) total += Math.exp(scores[id] - highest);
  const target = uniform * total;
  let sum = 0;
  for (let id = 0; id < scores.length; id++) {
    sum += Math.exp(scores[id] - highest); // the same sum again: the last partial one is exactly `total`
    if (sum > target) return id;
  }
  return best;
}

/**
 * Uniform numbers for one step, one a row, with all 53 bits of a double: with fewer, unlikely tokens would never be
 * drawn. Row b's number depends on seed, step and b only, not on how many rows there are.
 *
 * @param seed Integer, 0 … 2⁵³−1.
 * @param step Number of the step.
 * @param rows B
 * @returns B numbers in [0, 1).
 */
export function stepUniforms(seed: number, step: number, rows: number): Float64Array {
  const words = philox(seed, step, 2 * rows);
  return Float64Array.from(
    { length: rows },
    (_, b) => ((words[2 * b] >>> 5) * 2 ** 26 + (words[2 * b + 1] >>> 6)) * 2 ** -53,
  );
}
