/** Random calls of operations: what the fuzz of every backend's kernels shares. */
import * as tf from '@tensorflow/tfjs';
import { Chance } from '../support/chance.js';
import type { Tolerance } from '../support/expect_close.js';
import type { Case } from './fuzz_cases.js';

const { FUZZ_SECONDS, FUZZ_SEED } = process.env;
const seconds = Number(FUZZ_SECONDS ?? 20);

/**
 * The seed of the first case; a failure names that of its own. A usual run repeats the same cases, so that it fails
 * for what has changed; one that is given time looks for new ones.
 */
export const firstSeed = Number(FUZZ_SEED ?? (FUZZ_SECONDS ? Date.now() % 1e9 : 1));

/**
 * A test for each operation: checks random calls, one seed after another, until its part of FUZZ_SECONDS is over.
 *
 * @param cases What makes a random call, by the operation's name.
 * @param check Throws where a call goes wrong; what it throws becomes the cause of an error that tells the call and the seed.
 */
export function fuzz(
  cases: Record<string, (chance: Chance) => Case>,
  check: (call: Case, name: string) => void,
): void {
  const names = Object.keys(cases);
  const checkSeed = (name: string, seed: number): void => {
    const call = cases[name](new Chance(seed));
    try {
      check(call, name);
    } catch (error) {
      throw new Error(`${textOf(name, call)}: FUZZ_SEED=${seed} repeats it.`, { cause: error });
    }
  };
  test.each(names)(
    '%s',
    (name) => {
      const end = performance.now() + (1000 * seconds) / names.length;
      for (let seed = firstSeed; seed === firstSeed || performance.now() < end; seed++) {
        tf.tidy(() => checkSeed(name, seed));
      }
    },
    60_000 + 1000 * seconds,
  );
}

/**
 * How close two right answers are. Sums of large terms may cancel: what counts is the error beside the largest number.
 *
 * @param slack How many times the usual tolerance is allowed.
 * @returns A tolerance for an expected tensor.
 */
export function besideTheLargest(slack = 1): (expected: tf.Tensor) => Tolerance {
  return (expected) => {
    const values = expected.dataSync() as Float32Array;
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return { atol: 1e-5 * slack * (1 + largest), rtol: 1e-5 * slack };
  };
}

/** The call as one line; tensors as their types and shapes. */
function textOf(name: string, { inputs, options = {} }: Case): string {
  const text = (_: string, value: unknown): unknown =>
    value instanceof tf.Tensor ? `${value.dtype}[${value.shape}]` : value;
  const shapes = inputs.map(({ dtype, shape }) => `${dtype}[${shape}]`);
  return `${name}(${shapes.join(', ')}, ${JSON.stringify(options, text)})`;
}
