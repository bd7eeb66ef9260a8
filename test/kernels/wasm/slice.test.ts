/** Parts of tensors: the kernel against slices of arrays, and its gradient. */
import * as tf from '@tensorflow/tfjs';
import { registerKernels, unregisterKernels } from 'tfjs-transformers/wasm';
import { describeKernels, expectNoLeak } from '../../support/backends.js';
import { checkDirectional, randomTensor } from '../../support/check_directional.js';
import { expectIdentical } from '../../support/expect_close.js';

/** Shape, begin, size; a size of −1 goes to the end. */
const CASES: [number[], number[], number[]][] = [
  [[7], [2], [3]],
  [[7], [7], [0]],
  [
    [5, 3],
    [1, 0],
    [2, -1],
  ],
  [
    [5, 3],
    [0, 1],
    [5, 2],
  ],
  [
    [5, 3],
    [4, 2],
    [1, 1],
  ],
  [
    [2, 5, 3],
    [0, 3, 0],
    [-1, 2, -1],
  ],
  [
    [2, 5, 3],
    [1, 1, 1],
    [1, 3, 2],
  ],
  [
    [2, 5, 3],
    [0, 0, 0],
    [2, 5, 3],
  ],
  [
    [2, 3, 5, 7],
    [1, 0, 2, 1],
    [1, 2, 3, 5],
  ],
  [
    [2, 3, 5, 2, 3],
    [1, 1, 2, 0, 0],
    [1, 2, 2, 2, 3],
  ],
  [
    [2, 3, 2, 3, 5],
    [1, 1, 0, 1, 2],
    [1, 2, 2, 2, 3],
  ],
  [
    [2, 1, 3, 2, 1, 5],
    [0, 0, 1, 0, 0, 1],
    [2, 1, 2, 2, 1, 3],
  ],
  [
    [3, 0, 2],
    [1, 0, 0],
    [2, 0, 1],
  ],
];

/** The same by indices alone. */
function picked(x: tf.Tensor, begin: number[], size: number[]): tf.Tensor {
  const wanted = size.map((length, axis) => (length < 0 ? x.shape[axis] - begin[axis] : length));
  const values = x.dataSync();
  const buffer = tf.buffer(wanted, x.dtype as 'float32');
  for (let i = 0; i < buffer.size; i++) {
    const at = buffer.indexToLoc(i);
    const from = at.reduce((sum, place, axis) => sum * x.shape[axis] + place + begin[axis], 0);
    buffer.values[i] = values[from];
  }
  return buffer.toTensor();
}

describeKernels('a slice', () => {
  test.each(CASES)('of %j from %j, %j long', (shape, begin, size) => {
    for (const dtype of ['float32', 'int32', 'bool'] as const) {
      const values = tf.cast(tf.mul(randomTensor(shape, 3), 10), dtype === 'bool' ? 'int32' : dtype); // prettier-ignore
      const x = dtype === 'bool' ? tf.greater(values, 0) : values;
      const part = tf.slice(x, begin, size);
      expectIdentical(part, picked(x, begin, size));
      expect(part.dtype).toBe(dtype);
    }
    const x = randomTensor(shape, 5);
    expectNoLeak(() => tf.slice(x, begin, size));
    if (x.size > 0) checkDirectional((y) => tf.slice(y, begin, size), [x]);
  });

  test('of everything has data of its own shape', () => {
    // The backend takes the rank of a bias from the data, which a reshape leaves as they were.
    const bias = tf.slice(tf.reshape(tf.ones([3, 1]), [3]), [0], [3]);
    const [a, b] = [tf.ones<tf.Rank.R2>([2, 2]), tf.ones<tf.Rank.R2>([2, 3])];
    expectIdentical(tf.fused.matMul({ a, b, bias }), tf.fill([2, 3], 3));
  });

  test('refuses what lies outside', () => {
    expect(() => tf.slice(tf.zeros([3, 2]), [2, 0], [2, 2])).toThrow(/begin\[0\] \+ size\[0\]/);
  });

  test('reads nothing out of the memory', () => {
    const x = tf.zeros([1000, 3]);
    const read = jest.spyOn(tf.backend() as tf.KernelBackend, 'readSync');
    tf.dispose(tf.slice(x, [500, 0], [1, 3]));
    expect(read).not.toHaveBeenCalled();
    read.mockRestore();
    unregisterKernels();
    tf.dispose(tf.slice(x, [500, 0], [1, 3]));
    registerKernels();
    x.dispose();
  });
});
