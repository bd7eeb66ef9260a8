import * as tf from '@tensorflow/tfjs';
import { putEntries, rowEntries, takeEntries } from '../../src/ops/row_entries.js';
import { describeBackends } from '../support/backends.js';
import { expectIdentical } from '../support/expect_close.js';

describeBackends('rowEntries', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  test('are taken out of a matrix and put into one', () => {
    const matrix = tf.tensor2d([[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]]); // prettier-ignore
    const entries = rowEntries(tf.tensor1d([2, 0, 0, 1], 'int32'), 3);
    expectIdentical(takeEntries(matrix, entries), [3, 4, 7, 11]);
    expectIdentical(putEntries(tf.tensor1d([-1, -2, -3, -4]), entries, [4, 3]), [
      [0, 0, -1],
      [-2, 0, 0],
      [-3, 0, 0],
      [0, -4, 0],
    ]);
  });

  test('of more rows than 16 bits can number', () => {
    const M = 2500;
    const columns = Int32Array.from({ length: M }, (_, i) => i % 2);
    const entries = rowEntries(tf.tensor1d(columns), 2);
    const taken = takeEntries(tf.tile(tf.tensor2d([[5, 7]]), [M, 1]), entries);
    expectIdentical(taken, { shape: [M], values: columns.map((c) => (c === 0 ? 5 : 7)) });
    const put = putEntries(tf.ones([M]), entries, [M, 2]);
    const values = Array.from({ length: 2 * M }, (_, i) => Number(i % 2 === columns[i >> 1]));
    expectIdentical(put, { shape: [M, 2], values });
  });
});
