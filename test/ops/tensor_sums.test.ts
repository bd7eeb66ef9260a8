import * as tf from '@tensorflow/tfjs';
import { forcePath } from '../../src/ops/dispatch.js';
import { tensorSums } from '../../src/ops/tensor_sums.js';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { randomTensor } from '../support/check_directional.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';

describeBackends('tensorSums', (backend) => {
  test('sums each tensor, of any shape and size', () => {
    const tensors = [[], [1], [3], [5, 7], [2, 3, 11], [16], [67, 31]].map((shape, i) =>
      randomTensor(shape, i),
    );
    const expected = tensors.map((x) => [...x.dataSync()].reduce((sum, value) => sum + value, 0));
    const sums = tensorSums(tensors);
    expectClose(sums, expected, { atol: 1e-4 });
    expectIdentical(tensorSums(tensors), sums);
    expectNoLeak(() => tensorSums(tensors));
    if (backend.startsWith('wasm-'))
      expectIdentical(
        forcePath('kernel', () => tensorSums(tensors)),
        sums,
      );
  });

  test('tells which tensors hold what is not finite, wherever it stands', () => {
    for (const size of [1, 3, 16, 37]) {
      for (let at = 0; at < size; at++) {
        const values = new Array<number>(size).fill(1);
        values[at] = at % 2 ? NaN : Infinity;
        const sums = tensorSums([tf.ones([size]), tf.tensor1d(values), tf.zeros([2])]).dataSync();
        expect([...sums].map(Number.isFinite)).toEqual([true, false, true]);
      }
    }
  });

  test('bad input', () => {
    expect(() => tensorSums([])).toThrow('tensorSums: tensors must not be empty.');
  });
});
