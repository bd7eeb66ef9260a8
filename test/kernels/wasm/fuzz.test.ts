/**
 * Random shapes, contents and options: the kernels of every operation against its reference, values and gradients.
 *
 * Runs for FUZZ_SECONDS (20) in all. A failure names the seed of its case, which FUZZ_SEED repeats as the first one.
 */
import * as tf from '@tensorflow/tfjs';
import { accelerate } from 'tfjs-transformers/wasm';
import { forcePath, type Path } from '../../../src/ops/dispatch.js';
import { describeKernels } from '../../support/backends.js';
import { Chance } from '../../support/chance.js';
import { expectKernelLikeReference } from '../../support/kernel_and_reference.js';
import { acceleratedCases, cases, type Case } from './fuzz_cases.js';

const seconds = Number(process.env.FUZZ_SECONDS ?? 20);
const firstSeed = Number(process.env.FUZZ_SEED ?? Date.now() % 1e9);
const all = { ...cases, ...acceleratedCases };
const names = Object.keys(all);

describeKernels(`random calls, FUZZ_SEED=${firstSeed}`, () => {
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
    const call = all[name](new Chance(seed));
    const { inputs, operation, reference = operation, slack = 1 } = call;
    // Sums of large terms may cancel: what counts is the error beside the largest number.
    const tolerance = (expected: tf.Tensor): { atol: number; rtol: number } => {
      const values = expected.dataSync() as Float32Array;
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      return { atol: 1e-5 * slack * (1 + largest), rtol: 1e-5 * slack };
    };
    let current: Path = 'auto';
    try {
      expectKernelLikeReference(
        (...inputs) => (current === 'reference' ? reference : operation)(...inputs),
        inputs,
        tolerance,
        (side, body) => {
          current = side;
          return name in acceleratedCases ? onAcceleratedSide(side, body) : forcePath(side, body);
        },
      );
      if (call.truth) expectNearTruth(call, call.truth);
    } catch (error) {
      throw new Error(`${textOf(name, call)}: FUZZ_SEED=${seed} repeats it.`, { cause: error });
    }
  });
}

/** Holds the kernels against float64. */
function expectNearTruth({ inputs, operation }: Case, truth: NonNullable<Case['truth']>): void {
  const dy = tf.randomUniform(operation(...inputs).shape, -1, 1, 'float32', 13);
  const got = forcePath('kernel', () => [operation(...inputs), ...tf.grads(operation)(inputs, dy)]);
  truth(dy.dataSync()).forEach(({ values, bounds }, i) => {
    const numbers = got[i].dataSync();
    expect(numbers).toHaveLength(values.length);
    numbers.forEach((number, at) => {
      if (!(Math.abs(number - values[at]) <= bounds[at] + 1e-30)) {
        throw new Error(`result ${i} at ${at}: ${number}, not ${values[at]} ± ${bounds[at]}.`);
      }
    });
  });
}

/** What stands beside each other where TensorFlow.js' own kernels are the reference. */
function onAcceleratedSide<T>(side: Path, body: () => T): T {
  if (side === 'reference') return body();
  const undo = accelerate();
  try {
    return body();
  } finally {
    undo();
  }
}

/** The call as one line; tensors as their types and shapes. */
function textOf(name: string, { inputs, options = {} }: Case): string {
  const text = (value: unknown): unknown =>
    value instanceof tf.Tensor ? `${value.dtype}[${value.shape}]` : value;
  const shown = Object.entries(options).map(([option, value]) => [option, text(value)] as const);
  return `${name}(${inputs.map(text).join(', ')}, ${JSON.stringify(Object.fromEntries(shown))})`;
}
