/**
 * Makes tests repeat: TensorFlow.js draws the seeds of unseeded initial values from `Math.random`, so a test of a new
 * layer would otherwise meet other numbers on each run. TEST_SEED=n tries others.
 */
import { uniform } from '../../src/util/random.js';

/** Seed of all that a test does not seed itself. */
export const testSeed = Number(process.env.TEST_SEED ?? 1);

/** Starts `Math.random` anew: the same numbers follow each time. Call before each test. */
export function repeatRandom(): void {
  let call = 0;
  Math.random = () => uniform(testSeed, call++, 1)[0];
}
