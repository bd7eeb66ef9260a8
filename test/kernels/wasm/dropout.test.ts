import * as tf from '@tensorflow/tfjs';
import { dropout } from '../../../src/ops/dropout.js';
import { forcePath } from '../../../src/ops/dispatch.js';
import { describeKernels } from '../../support/backends.js';
import { randomTensor } from '../../support/check_directional.js';
import { expectIdentical } from '../../support/expect_close.js';
import { expectKernelLikeReference } from '../../support/kernel_and_reference.js';

describeKernels('dropout kernel', () => {
  test.each([0, 1, 2, 3, 4, 5, 15, 16, 17, 31, 64, 257, 4099])(
    'drops what the reference drops, and gives its bits, %i numbers',
    (size) => {
      const x = randomTensor([size], 3);
      for (const rate of [1e-9, 0.1, 0.5, 0.9, 1 - 2 ** -53]) {
        for (const seed of [0, 7, 2 ** 31 + 1, 2 ** 45 + 12345, Number.MAX_SAFE_INTEGER]) {
          const options = { seed: { seed, counter: 2 ** 33 + size } as unknown as number };
          const run = (path: 'kernel' | 'reference'): tf.Tensor =>
            forcePath(path, () => dropout(x, rate, options));
          expectIdentical(run('kernel'), run('reference'));
        }
      }
    },
  );

  test('gradient like the reference', () => {
    const seed = 5;
    expectKernelLikeReference((x) => dropout(x, 0.3, { seed }), [randomTensor([5, 7, 11], 1)], {
      atol: 0,
      rtol: 0,
    });
  });

  test('a dropped infinity is NaN, as a product with 0 is', () => {
    const x = tf.fill([37], Infinity);
    const run = (path: 'kernel' | 'reference'): tf.Tensor =>
      forcePath(path, () => dropout(x, 0.5, { seed: 1 }));
    const kernel = [...run('kernel').dataSync()];
    expect(kernel).toEqual([...run('reference').dataSync()]);
    expect(new Set(kernel)).toEqual(new Set([NaN, Infinity]));
  });

  test('leaves the share that it should', () => {
    const y = forcePath('kernel', () => dropout(tf.ones([100_000]), 0.25, { seed: 9 }));
    // Standard deviation of the share: √(0.25·0.75/100,000) = 0.0014.
    const kept = tf.mean(tf.cast(tf.notEqual(y, 0), 'float32')).dataSync()[0];
    expect(Math.abs(kept - 0.75)).toBeLessThan(0.006);
    expect(new Set(y.dataSync())).toEqual(new Set([0, Math.fround(4 / 3)]));
  });
});
