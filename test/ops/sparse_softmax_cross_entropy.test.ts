import * as fc from 'fast-check';
import * as tf from '@tensorflow/tfjs';
import { sparseSoftmaxCrossEntropy } from '../../src/ops/sparse_softmax_cross_entropy.js';
import { describeBackends } from '../support/backends.js';
import { checkDirectional, randomTensor } from '../support/check_directional.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';
import { expectNoLeaks } from '../support/expect_no_leaks.js';
import { precision } from '../support/precision.js';

/** The definition in double precision, one row. */
function lossOf(row: number[], label: number, smoothing = 0): number {
  const max = Math.max(...row);
  const logSum = max + Math.log(row.reduce((sum, x) => sum + Math.exp(x - max), 0));
  const mean = row.reduce((sum, x) => sum + x, 0) / row.length;
  return (1 - smoothing) * (logSum - row[label]) + smoothing * (logSum - mean);
}

describeBackends('sparseSoftmaxCrossEntropy', () => {
  const ints = (values: number[] | number[][]) => tf.tensor(values, undefined, 'int32');
  const ln = Math.log;
  // Rows are logarithms of probabilities: 1/2, 1/4, 1/4 and 1/8, 1/8, 3/4.
  const logits = () =>
    tf.tensor([
      [ln(2), ln(1), ln(1)],
      [ln(1), ln(1), ln(6)],
    ]);

  test('values known on paper, all reductions', () => {
    const labels = ints([1, 2]);
    expectClose(sparseSoftmaxCrossEntropy(logits(), labels, { reduction: 'none' }), [
      ln(4),
      ln(4 / 3),
    ]);
    expectClose(
      sparseSoftmaxCrossEntropy(logits(), labels, { reduction: 'sum' }),
      tf.scalar(ln(16 / 3)),
    );
    expectClose(sparseSoftmaxCrossEntropy(logits(), labels), tf.scalar(ln(16 / 3) / 2));
  });

  test('gradient known on paper: (softmax − one-hot)/count', () => {
    const gradient = tf.grad((x: tf.Tensor) => sparseSoftmaxCrossEntropy(x, ints([1, 2])))(
      logits(),
    );
    expectClose(
      gradient,
      [
        [1 / 4, -3 / 8, 1 / 8],
        [1 / 16, 1 / 16, -1 / 8],
      ],
      { atol: 1e-6 },
    );
  });

  test('V equal logits cost ln V whatever their size', () => {
    for (const size of [0, 1e4, precision().largeNegative]) {
      expectClose(
        sparseSoftmaxCrossEntropy(tf.fill([5, 7], size), ints([0, 1, 2, 3, 6])),
        tf.scalar(ln(7)),
      );
    }
  });

  test.each([-100, -1, 0])(
    'ignored labels (%s) count for nothing, not even in the mean',
    (ignoreIndex) => {
      const labels = ints([2, ignoreIndex]);
      const options = { ignoreIndex };
      expectClose(sparseSoftmaxCrossEntropy(logits(), labels, options), tf.scalar(ln(4)));
      expectClose(sparseSoftmaxCrossEntropy(logits(), labels, { ...options, reduction: 'none' }), [
        ln(4),
        0,
      ]);
      const gradient = tf.grad((x: tf.Tensor) => sparseSoftmaxCrossEntropy(x, labels, options))(
        logits(),
      );
      expectClose(
        gradient,
        [
          [0.5, 0.25, -0.75],
          [0, 0, 0],
        ],
        { atol: 1e-6 },
      );
      expectIdentical(tf.slice(gradient, [1, 0], [1, 3]), [[0, 0, 0]]);
    },
  );

  test('nothing counted: loss 0 and gradient 0, no NaN', () => {
    const labels = ints([-100, -100]);
    for (const reduction of ['mean', 'sum'] as const) {
      expectIdentical(sparseSoftmaxCrossEntropy(logits(), labels, { reduction }), tf.scalar(0));
      const gradient = tf.grad((x: tf.Tensor) =>
        sparseSoftmaxCrossEntropy(x, labels, { reduction }),
      )(logits());
      expectIdentical(gradient, tf.zeros([2, 3]));
    }
  });

  test('no rows at all: loss 0, an empty gradient', () => {
    const x = tf.zeros([0, 5]);
    const labels = tf.zeros([0], 'int32');
    for (const reduction of ['mean', 'sum'] as const)
      expectIdentical(sparseSoftmaxCrossEntropy(x, labels, { reduction }), tf.scalar(0));
    const none = sparseSoftmaxCrossEntropy(x, labels, { reduction: 'none' });
    expect(none.shape).toEqual([0]);
    const gradient = tf.grad((x: tf.Tensor) => sparseSoftmaxCrossEntropy(x, labels))(x);
    expect(gradient.shape).toEqual([0, 5]);
  });

  test('removed entries (−1e9) and confident rows stay finite', () => {
    const L = precision().largeNegative;
    const x = tf.tensor([
      [L, 3, 3],
      [L, 0, 50],
      [0, L, L],
    ]);
    const f = (x: tf.Tensor) =>
      sparseSoftmaxCrossEntropy(x, ints([1, 1, 0]), { reduction: 'none' });
    expectClose(f(x), [ln(2), 50, 0]);
    expectClose(
      tf.grad(f)(x),
      [
        [0, -0.5, 0.5],
        [0, -1, 1],
        [0, 0, 0],
      ],
      { atol: 1e-6 },
    );
    expectClose(sparseSoftmaxCrossEntropy(x, ints([0, -100, -100])), tf.scalar(-L));
  });

  test('labels as float32, of higher rank, and with a last axis of 1', () => {
    const x = randomTensor([2, 3, 5], 1, 2);
    const labels = [
      [0, 4, 2],
      [1, -100, 3],
    ];
    const expected = sparseSoftmaxCrossEntropy(x, ints(labels), { reduction: 'none' });
    expect(expected.shape).toEqual([2, 3]);
    const rows = x.arraySync() as number[][][];
    const values = labels.flatMap((row, b) =>
      row.map((l, t) => (l < 0 ? 0 : lossOf(rows[b][t], l))),
    );
    expectClose(expected, { shape: [2, 3], values });
    for (const dtype of ['int32', 'float32'] as const) {
      for (const shape of [
        [2, 3],
        [2, 3, 1],
      ]) {
        const given = tf.tensor(labels.flat(), shape, dtype);
        expectIdentical(sparseSoftmaxCrossEntropy(x, given, { reduction: 'none' }), expected);
      }
    }
  });

  test('label smoothing mixes in the mean over the vocabulary', () => {
    const row = [0.5, -1, 2, 0.25];
    const x = tf.tensor([row, row]);
    const loss = sparseSoftmaxCrossEntropy(x, ints([2, -100]), { labelSmoothing: 0.1 });
    expectClose(loss, tf.scalar(lossOf(row, 2, 0.1)));
    checkDirectional(
      (x) => sparseSoftmaxCrossEntropy(x, ints([2, 0]), { labelSmoothing: 0.1 }),
      [x],
    );
  });

  test.each(['mean', 'sum', 'none'] as const)('gradient with reduction %s', (reduction) => {
    const labels = ints([3, -100, 0, 12, 3, 7, -100]);
    const f = (x: tf.Tensor) => sparseSoftmaxCrossEntropy(x, labels, { reduction });
    checkDirectional(f, [randomTensor([7, 13], 1, 2)]);
    expectNoLeaks(f, [randomTensor([7, 13], 1, 2)]);
  });

  test('property: shifting a row changes nothing, and gradients of a row sum to 0', () => {
    const numbers = fc.array(fc.double({ min: -30, max: 30, noNaN: true }), {
      minLength: 2,
      maxLength: 17,
    });
    fc.assert(
      fc.property(numbers, fc.nat(), (row, pick) => {
        tf.tidy(() => {
          const label = pick % row.length;
          const x = tf.tensor([row]);
          const f = (x: tf.Tensor) => sparseSoftmaxCrossEntropy(x, ints([label]));
          expectClose(f(x), tf.scalar(lossOf(Array.from(row, Math.fround), label)), { atol: 2e-5 });
          expectClose(f(tf.add(x, 64)), f(x), { atol: 1e-4 });
          expectClose(tf.sum(tf.grad(f)(x)), tf.scalar(0), { atol: 1e-5 });
        });
      }),
      { numRuns: 30 },
    );
  });

  test('bad input is refused', () => {
    const where = 'sparseSoftmaxCrossEntropy: ';
    expect(() => sparseSoftmaxCrossEntropy(logits(), ints([1]))).toThrow(
      `${where}labels must have the shape of logits without the last axis, [2], got labels=[1], logits=[2,3].`,
    );
    expect(() => sparseSoftmaxCrossEntropy(logits(), tf.tensor([true, false]))).toThrow(
      `${where}labels must be an int32 tensor, or a float32 one holding integers.`,
    );
    expect(() =>
      sparseSoftmaxCrossEntropy(logits(), ints([1, 2]), { reduction: 'avg' as never }),
    ).toThrow(`${where}reduction must be 'mean', 'sum' or 'none', got reduction='avg'.`);
    expect(() => sparseSoftmaxCrossEntropy(logits(), ints([1, 2]), { labelSmoothing: 2 })).toThrow(
      `${where}labelSmoothing must be a finite number between 0 and 1, got labelSmoothing=2.`,
    );
    expect(() => sparseSoftmaxCrossEntropy(logits(), ints([1, 2]), { ignoreIndex: 0.5 })).toThrow(
      `${where}ignoreIndex must be an integer`,
    );
    expect(() =>
      sparseSoftmaxCrossEntropy(logits(), ints([1, 2]), { ignore_index: 0 } as never),
    ).toThrow(`${where}unknown option 'ignore_index'. Did you mean 'ignoreIndex'?`);
  });
});
