/**
 * Random shapes, contents and options: the kernels of every operation against its reference, values and gradients.
 *
 * Runs for FUZZ_SECONDS (20) in all. A failure names the seed of its case, which FUZZ_SEED repeats as the first one.
 */
import * as tf from '@tensorflow/tfjs';
import { describeNodeKernels } from '../../support/backends.js';
import { Chance } from '../../support/chance.js';
import { expectKernelLikeReference } from '../../support/kernel_and_reference.js';
import { cases } from '../wasm/fuzz_cases.js';

const seconds = Number(process.env.FUZZ_SECONDS ?? 20);
const firstSeed = Number(process.env.FUZZ_SEED ?? Date.now() % 1e9);
/** tfjs-node's tensors are immutable: there is nothing to write in place. */
const names = Object.keys(cases).filter((name) => name !== 'cacheWrite');

describeNodeKernels(`random calls, FUZZ_SEED=${firstSeed}`, () => {
  test.each(names)(
    '%s',
    (name) => {
      const end = performance.now() + (1000 * seconds) / names.length;
      for (let seed = firstSeed; seed === firstSeed || performance.now() < end; seed++) {
        check(name, seed);
      }
    },
    60_000 + 1000 * seconds,
  );
});

function check(name: string, seed: number): void {
  tf.tidy(() => {
    const { inputs, options = {}, operation, slack = 1 } = cases[name](new Chance(seed));
    // Sums of large terms may cancel: what counts is the error beside the largest number.
    const tolerance = (expected: tf.Tensor): { atol: number; rtol: number } => {
      const values = expected.dataSync() as Float32Array;
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      return { atol: 1e-5 * slack * (1 + largest), rtol: 1e-5 * slack };
    };
    try {
      expectKernelLikeReference(operation, inputs, tolerance);
    } catch (error) {
      const shapes = inputs.map(({ shape }) => `[${shape}]`).join(', ');
      const call = `${name}(${shapes}, ${JSON.stringify(options, textOf)})`;
      throw new Error(`${call}: FUZZ_SEED=${seed} repeats it.`, { cause: error });
    }
  });
}

/** Tensors as their types and shapes. */
function textOf(_: string, value: unknown): unknown {
  return value instanceof tf.Tensor ? `${value.dtype}[${value.shape}]` : value;
}
