import * as tf from '@tensorflow/tfjs';
import { forcePath } from '../../../src/ops/dispatch.js';
import { layerNorm } from '../../../src/ops/layer_norm.js';
import { describeKernels } from '../../support/backends.js';
import { randomTensor } from '../../support/check_directional.js';
import { expectClose, expectIdentical } from '../../support/expect_close.js';
import { expectKernelLikeReference } from '../../support/kernel_and_reference.js';
import { normalRow } from '../../support/float64.js';

const SIZES = [1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 31, 64, 67, 128, 131];

describeKernels('layer norm kernel', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  /** x, γ and β for a shape whose last axes, from `first` on, are normalised. */
  const inputs = (shape: number[], first = shape.length - 1): [tf.Tensor, tf.Tensor, tf.Tensor] => [
    tf.add(tf.mul(randomTensor(shape, 1), 3), 0.7),
    randomTensor(shape.slice(first), 2),
    randomTensor(shape.slice(first), 3),
  ];

  test.each(SIZES)('rows of %i, with and without γ and β', (size) => {
    const [x, gamma, beta] = inputs([5, size]);
    expectKernelLikeReference((x, g, b) => layerNorm(x, g, b), [x, gamma, beta]);
    expectKernelLikeReference((x, g) => layerNorm(x, g), [x, gamma]);
    expectKernelLikeReference((x, b) => layerNorm(x, null, b), [x, beta]);
    expectKernelLikeReference((x) => layerNorm(x), [x]);
  });

  test.each([1, 2, 63, 64, 65, 129, 200])('%i rows', (rows) => {
    expectKernelLikeReference((x, g, b) => layerNorm(x, g, b), inputs([rows, 19]));
  });

  test('several trailing axes are one row; others are left to the reference', () => {
    const axis = [-2, -1];
    expectKernelLikeReference(
      (x, g, b) => layerNorm(x, g, b, { axis, epsilon: 0.1 }),
      inputs([2, 3, 5, 7], 2),
    );
    const [x] = inputs([2, 3, 5]);
    for (const other of [0, 1, [0, 2]]) {
      expect(() => forcePath('kernel', () => layerNorm(x, null, null, { axis: other }))).toThrow(
        'dispatch: no kernel TransformersLayerNormNoGammaNoBeta',
      );
    }
  });

  test.each([
    [1e4, 1],
    [-3e5, 1],
    [100, 1e-3],
    [0, 1e-6],
    [1e6, 1e4],
  ])('mean %p, deviation %p: as in float64', (mean, deviation) => {
    for (const size of [13, 128, 1000]) {
      const x = tf.add(tf.mul(randomTensor([3, size], 5), deviation), mean);
      const values = Array.from(x.dataSync());
      const y = forcePath('kernel', () => layerNorm(x, null, null, { epsilon: 0 }));
      const expected = [0, 1, 2].flatMap((i) => normalRow(values.slice(i * size, (i + 1) * size)));
      expectClose(y, { shape: [3, size], values: expected }, { atol: 1e-6, rtol: 1e-6 });
    }
  });

  test('sums over a hundred thousand rows keep their precision', () => {
    const x = randomTensor([100003, 3], 4);
    const dy = tf.add(randomTensor([100003, 3], 5), 1);
    const [, dbeta] = forcePath('kernel', () =>
      tf.grads((x, b) => layerNorm(x, null, b))([x, tf.zeros([3])], dy),
    );
    const sums = [0, 0, 0];
    dy.dataSync().forEach((value, i) => (sums[i % 3] += value));
    expectClose(dbeta, sums, { atol: 0, rtol: 1e-6 });
  });

  test('NaN and Infinity stay in their rows; nothing is read or written for no rows', () => {
    const x = tf.tensor2d([
      [1, 2, 3, 4, 5],
      [1, NaN, 3, 4, 5],
      [1, 2, 3, 4, Infinity],
      [5, 4, 3, 2, 1],
    ]);
    const y = forcePath('kernel', () => layerNorm(x));
    const clean = forcePath('kernel', () => layerNorm(tf.gather(x, [0, 3])));
    expectIdentical(tf.gather(y, [0, 3]), clean);
    expectIdentical(tf.isNaN(tf.slice(y, [1, 0], [2, 5])), tf.ones([2, 5], 'bool'));
    expectKernelLikeReference((x, g, b) => layerNorm(x, g, b), inputs([0, 5]));
    expect(forcePath('kernel', () => layerNorm(tf.zeros([3, 0]))).shape).toEqual([3, 0]);
  });
});
