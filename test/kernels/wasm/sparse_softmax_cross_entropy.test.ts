import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { forcePath } from '../../../src/ops/dispatch.js';
import { sparseSoftmaxCrossEntropy } from '../../../src/ops/sparse_softmax_cross_entropy.js';
import { describeKernels } from '../../support/backends.js';
import { randomTensor } from '../../support/check_directional.js';
import { expectClose } from '../../support/expect_close.js';
import { expectKernelLikeReference } from '../../support/kernel_and_reference.js';

const ints = (values: number[], shape?: number[]): tf.Tensor => tf.tensor(values, shape, 'int32');

describeKernels('sparse softmax cross-entropy kernel', () => {
  test.each([1, 2, 3, 4, 5, 7, 13, 15, 16, 17, 31, 96, 97, 257, 4096, 4099, 9001])(
    'like the reference, %i classes',
    (V) => {
      const labels = ints([0, V - 1, V >> 1, -100, 0]);
      for (const labelSmoothing of [0, 0.1]) {
        expectKernelLikeReference(
          (logits) => sparseSoftmaxCrossEntropy(logits, labels, { labelSmoothing }),
          [randomTensor([5, V], 1, 3)],
          { atol: 1e-5, rtol: 2e-5 },
        );
      }
    },
  );

  test('random rows, sizes and options', () => {
    const call = fc.record({
      rows: fc.integer({ min: 1, max: 7 }),
      V: fc.integer({ min: 1, max: 40 }),
      scale: fc.constantFrom(0, 1, 30, 1000),
      ignoreIndex: fc.integer({ min: -1, max: 5 }),
      labelSmoothing: fc.constantFrom(0, 0.1, 0.9),
      reduction: fc.constantFrom('mean' as const, 'sum' as const, 'none' as const),
      seed: fc.integer({ min: 0, max: 999 }),
    });
    fc.assert(
      fc.property(call, ({ rows, V, scale, seed, ...options }) =>
        tf.tidy(() => {
          const labels = tf.randomUniform([rows], 0, V, 'int32', seed);
          // Logits near 1,000 are themselves rounded by 6e-5.
          const atol = 1e-5 * Math.max(1, scale);
          expectKernelLikeReference(
            (logits) => sparseSoftmaxCrossEntropy(logits, labels, options),
            [tf.mul(randomTensor([rows, V], seed), scale)],
            { atol, rtol: 2e-5 },
          );
        }),
      ),
      { numRuns: 200, seed: 11 },
    );
  });

  test('equal logits of any size cost ln V, with a gradient to the last digits', () => {
    forcePath('kernel', () => {
      for (const size of [0, 1e4, -1e9, 3e38]) {
        const loss = (x: tf.Tensor): tf.Tensor => sparseSoftmaxCrossEntropy(x, ints([3]));
        const x = tf.fill([1, 7], size);
        // The loss is a difference of numbers of that size, each rounded to float64.
        if (size < 1e30) expectClose(loss(x), tf.scalar(Math.log(7)));
        const one = 1 / 7;
        expectClose(tf.grad(loss)(x), [[one, one, one, one - 1, one, one, one]], { atol: 1e-7 });
      }
    });
  });

  test('a vocabulary of 200,000 equal logits loses no digits', () => {
    const V = 200_000;
    const loss = forcePath('kernel', () => sparseSoftmaxCrossEntropy(tf.ones([1, V]), ints([9])));
    expectClose(loss, tf.scalar(Math.log(V)), { atol: 0, rtol: 1e-7 });
  });

  test('removed entries (−1e9) have gradient exactly 0', () => {
    const logits = tf.tensor([[1, -1e9, 2, -1e9, 3]]);
    const gradient = forcePath('kernel', () =>
      tf.grad((x: tf.Tensor) => sparseSoftmaxCrossEntropy(x, ints([0])))(logits),
    ).dataSync();
    expect([gradient[1], gradient[3]]).toEqual([0, 0]);
  });

  test('a row to ignore costs 0 and has gradient 0, whatever it holds', () => {
    forcePath('kernel', () => {
      const logits = tf.tensor([
        [NaN, Infinity, 0],
        [0, 0, 0],
      ]);
      const loss = (x: tf.Tensor): tf.Tensor => sparseSoftmaxCrossEntropy(x, ints([-100, 1]));
      const third = 1 / 3;
      expectClose(loss(logits), tf.scalar(Math.log(3)));
      expectClose(tf.grad(loss)(logits), [
        [0, 0, 0],
        [third, third - 1, third],
      ]);
    });
  });

  test('NaN in a row gives NaN in that row alone', () => {
    forcePath('kernel', () => {
      const logits = tf.tensor([
        [0, NaN, 0],
        [0, 0, 0],
      ]);
      const options = { reduction: 'none' } as const;
      expectClose(sparseSoftmaxCrossEntropy(logits, ints([0, 1]), options), [NaN, Math.log(3)]);
    });
  });

  test.each([3, -1, 2 ** 31 - 1, -(2 ** 31)])(
    'label %i of 3 is read nowhere: NaN, in its row alone',
    (label) => {
      forcePath('kernel', () => {
        const loss = (x: tf.Tensor): tf.Tensor =>
          sparseSoftmaxCrossEntropy(x, ints([label, 0]), { reduction: 'none' });
        const x = tf.zeros([2, 3]);
        expectClose(loss(x), [NaN, Math.log(3)]);
        const third = 1 / 3;
        expectClose(tf.grad(loss)(x), [
          [NaN, NaN, NaN],
          [third - 1, third, third],
        ]);
      });
    },
  );

  test('keeps two numbers a row for the gradient', () => {
    const outputs = tf
      .engine()
      .runKernel(
        'TransformersSparseSoftmaxCrossEntropy',
        { logits: tf.zeros([5, 1000]), labels: tf.zeros([5], 'int32') },
        { ignoreIndex: -100, labelSmoothing: 0 },
      ) as tf.Tensor[];
    expect(outputs.map(({ shape }) => shape)).toEqual([[5], [5, 2]]);
    expectClose(outputs[1], Array(5).fill([0, 1e-3]));
  });

  test('no rows cost nothing', () => {
    forcePath('kernel', () => {
      const loss = (x: tf.Tensor): tf.Tensor => sparseSoftmaxCrossEntropy(x, ints([], [0]));
      expectClose(loss(tf.zeros([0, 3])), tf.scalar(0));
      expect(tf.grad(loss)(tf.zeros([0, 3])).shape).toEqual([0, 3]);
    });
  });
});
