/**
 * Random shapes, contents and options: the kernels of every operation against its reference, values and gradients.
 *
 * Runs for FUZZ_SECONDS (20) in all. A failure names the seed of its case, which FUZZ_SEED repeats as the first one.
 */
import * as tf from '@tensorflow/tfjs';
import { accelerate } from 'tfjs-transformers/wasm';
import { forcePath, type Path } from '../../../src/ops/dispatch.js';
import { describeKernels } from '../../support/backends.js';
import { expectKernelLikeReference } from '../../support/kernel_and_reference.js';
import { besideTheLargest, firstSeed, fuzz } from '../fuzz.js';
import { acceleratedCases, cases, type Case } from '../fuzz_cases.js';

describeKernels(`random calls, FUZZ_SEED=${firstSeed}`, () => {
  fuzz({ ...cases, ...acceleratedCases }, (call, name) => {
    const { inputs, operation, reference = operation, slack } = call;
    const run = name in acceleratedCases ? onAcceleratedSide : forcePath;
    let current: Path = 'auto';
    expectKernelLikeReference(
      (...inputs) => (current === 'reference' ? reference : operation)(...inputs),
      inputs,
      besideTheLargest(slack),
      (side, body) => {
        current = side;
        return run(side, body);
      },
    );
    if (call.truth) expectNearTruth(call, call.truth);
  });
});

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
