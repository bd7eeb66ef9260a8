import * as tf from '@tensorflow/tfjs';
import { registerKernels, unregisterKernels } from 'tfjs-transformers/wasm';
import { describeKernels, expectNoLeak } from '../../support/backends.js';
import { expectIdentical } from '../../support/expect_close.js';

describeKernels('a clone', () => {
  const share = (x: tf.Tensor): boolean => {
    const before = tf.memory().numDataBuffers;
    const clone = tf.clone(x);
    expectIdentical(clone, x);
    const shared = tf.memory().numDataBuffers === before;
    clone.dispose();
    expect(tf.memory().numDataBuffers).toBe(before);
    return shared;
  };

  test('shares the data of every numeric type, and outlives the original', () => {
    for (const dtype of ['float32', 'int32', 'bool'] as const) {
      const x = tf.tensor([1, 0, 1], [3], dtype);
      expect(share(x)).toBe(true);
      const clone = tf.clone(x);
      x.dispose();
      expect([...clone.dataSync()]).toEqual([1, 0, 1]);
      clone.dispose();
    }
    const x = tf.ones([3]);
    expectNoLeak(() => tf.grad((y: tf.Tensor) => tf.sum(tf.square(tf.clone(y))))(x));
    x.dispose();
  });

  test("copies nothing a training step's tape keeps", () => {
    const x = tf.ones([7, 5]);
    const before = tf.memory().numDataBuffers;
    let inside = 0;
    tf.tidy(() => {
      tf.grad((y: tf.Tensor) => {
        const square = tf.mul(y, y); // keeps y twice
        inside = tf.memory().numDataBuffers;
        return tf.sum(square);
      })(x);
    });
    expect(inside - before).toBe(1); // the product alone
    x.dispose();
  });

  test('is a copy again without the kernels', () => {
    const x = tf.ones([3]);
    const ours = tf.getKernel('Identity', 'wasm');
    unregisterKernels();
    expect(tf.getKernel('Identity', 'wasm')).not.toBe(ours);
    const clone = tf.clone(x);
    expectIdentical(clone, x);
    registerKernels();
    expect(share(x)).toBe(true);
    tf.dispose([x, clone]);
  });
});
