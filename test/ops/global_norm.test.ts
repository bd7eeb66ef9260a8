import * as tf from '@tensorflow/tfjs';
import { globalNorm } from '../../src/ops/global_norm.js';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { checkDirectional, randomTensor } from '../support/check_directional.js';
import { expectClose } from '../support/expect_close.js';

describeBackends('globalNorm', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  test('3, 4 and 12 in three tensors make 13', () => {
    expectClose(
      globalNorm([tf.tensor1d([3, 0]), tf.tensor2d([[0], [4]]), tf.scalar(-12)]),
      tf.scalar(13),
    );
  });

  test('differentiates', () => {
    checkDirectional((...x) => globalNorm(x), [randomTensor([3, 5], 1), randomTensor([7], 2)]);
  });

  test('leaves nothing behind', () => {
    const x = tf.ones([3]);
    expectNoLeak(() => globalNorm([x, x]));
    expectNoLeak(() => tf.grad((x: tf.Tensor) => globalNorm([x]))(x));
  });

  test('says what is wrong', () => {
    expect(() => globalNorm([])).toThrow('globalNorm: tensors must not be empty.');
    expect(() => globalNorm([tf.tensor1d([1], 'int32')])).toThrow(
      'globalNorm: tensors must be float32, got dtype=int32.',
    );
  });
});
