import * as tf from '@tensorflow/tfjs';
import { embeddingLookup } from '../../src/ops/embedding_lookup.js';
import { describeBackends } from '../support/backends.js';
import { checkDirectional, randomTensor } from '../support/check_directional.js';
import { expectIdentical } from '../support/expect_close.js';
import { expectNoLeaks } from '../support/expect_no_leaks.js';

describeBackends('embeddingLookup', () => {
  const table = () =>
    tf.tensor([
      [0, 1],
      [10, 11],
      [20, 21],
    ]); // [3, 2]

  test.each(['int32', 'float32'] as const)('takes rows, ids %s', (dtype) => {
    const ids = tf.tensor(
      [
        [2, 0],
        [1, 2],
      ],
      undefined,
      dtype,
    );
    expectIdentical(embeddingLookup(table(), ids), [
      [
        [20, 21],
        [0, 1],
      ],
      [
        [10, 11],
        [20, 21],
      ],
    ]);
    expectIdentical(embeddingLookup(table(), tf.scalar(1, dtype)), [10, 11]);
    expectIdentical(embeddingLookup(table(), tf.tensor([0], undefined, dtype)), [[0, 1]]);
  });

  test.each(['int32', 'float32'] as const)('sums the gradients of equal ids, ids %s', (dtype) => {
    const ids = tf.tensor(
      [
        [2, 0],
        [2, 2],
      ],
      undefined,
      dtype,
    );
    const dy = tf.tensor([
      [
        [1, 2],
        [10, 20],
      ],
      [
        [100, 200],
        [1000, 2000],
      ],
    ]);
    const gradient = tf.grad((table: tf.Tensor) => embeddingLookup(table, ids))(table(), dy);
    expectIdentical(gradient, [
      [10, 20],
      [0, 0],
      [1101, 2202],
    ]);
  });

  test('gradient with many equal ids', () => {
    const ids = tf.tensor(
      Int32Array.from({ length: 7 * 13 }, (_, i) => (i * i) % 11),
      [7, 13],
      'int32',
    );
    checkDirectional((table) => embeddingLookup(table, ids), [randomTensor([11, 5], 1)]);
  });

  test('one table looked up twice collects both gradients', () => {
    const [a, b] = [tf.tensor([0, 1], undefined, 'int32'), tf.tensor([1, 1], undefined, 'int32')];
    const gradient = tf.grad((t: tf.Tensor) =>
      tf.add(embeddingLookup(t, a), embeddingLookup(t, b)),
    )(table());
    expectIdentical(gradient, [
      [1, 1],
      [3, 3],
      [0, 0],
    ]);
  });

  test('leaves no tensors behind', () => {
    for (const dtype of ['int32', 'float32'] as const) {
      const ids = tf.tensor([0, 2, 2], undefined, dtype);
      expectNoLeaks((t) => embeddingLookup(t, ids), [table()]);
    }
  });

  test('bad input is refused', () => {
    const ids = tf.tensor([0], undefined, 'int32');
    expect(() => embeddingLookup(tf.ones([3]), ids)).toThrow(
      'embeddingLookup: table must have shape [V,D], got shape=[3].',
    );
    expect(() => embeddingLookup(table(), tf.tensor([true]))).toThrow(
      'embeddingLookup: ids must be an int32 tensor, or a float32 one holding integers, got dtype=bool.',
    );
    expect(() => embeddingLookup(table(), [1] as never)).toThrow('got ids=[1].');
  });
});
