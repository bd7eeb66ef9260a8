import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { activationNames } from '../../../src/ops/activation.js';
import { gatedLinearUnit } from '../../../src/ops/gated_linear_unit.js';
import { describeKernels } from '../../support/backends.js';
import { randomTensor } from '../../support/check_directional.js';
import { expectKernelLikeReference } from '../../support/kernel_and_reference.js';

describeKernels('gated linear unit kernel', () => {
  test.each(activationNames)('%s, like the reference', (activation) => {
    for (const shape of [[0], [1], [3], [5, 7], [257], [2, 3, 5, 7]]) {
      tf.tidy(() => {
        const inputs = [randomTensor(shape, 1, 3), randomTensor(shape, 2, 2)];
        expectKernelLikeReference((gate, up) => gatedLinearUnit(gate, up, { activation }), inputs, {
          atol: 2e-5,
          rtol: 1e-5,
        });
      });
    }
  });

  test.each(activationNames)('%s, like the reference at any number', (activation) => {
    const number = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 });
    fc.assert(
      fc.property(fc.array(fc.tuple(number, number), { minLength: 1, maxLength: 9 }), (pairs) =>
        tf.tidy(() => {
          const [gate, up] = [0, 1].map((side) => tf.tensor(pairs.map((pair) => pair[side])));
          expectKernelLikeReference(
            (gate, up) => gatedLinearUnit(gate, up, { activation }),
            [gate, up],
            { atol: 1e-3, rtol: 1e-5 }, // of products up to 1e6
          );
        }),
      ),
      { numRuns: 50, seed: 5 },
    );
  });
});
