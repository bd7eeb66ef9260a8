/**
 * Random shapes, contents and options: the kernels of every operation against its reference, values and gradients.
 *
 * Runs for FUZZ_SECONDS (20) in all. A failure names the seed of its case, which FUZZ_SEED repeats as the first one.
 */
import { describeNodeKernels } from '../../support/backends.js';
import { expectKernelLikeReference } from '../../support/kernel_and_reference.js';
import { besideTheLargest, firstSeed, fuzz } from '../fuzz.js';
import { cases } from '../fuzz_cases.js';

/** tfjs-node's tensors are immutable: there is nothing to write in place. */
const pure = Object.fromEntries(Object.entries(cases).filter(([name]) => name !== 'cacheWrite'));

describeNodeKernels(`random calls, FUZZ_SEED=${firstSeed}`, () => {
  fuzz(pure, ({ inputs, operation, slack }) => {
    expectKernelLikeReference(operation, inputs, besideTheLargest(slack));
  });
});
