import * as tf from '@tensorflow/tfjs';
import type { WasmBackend } from '../../../src/kernels/wasm/module.js';
import { cacheWrite } from '../../../src/ops/cache_write.js';
import { forcePath } from '../../../src/ops/dispatch.js';
import { describeKernels } from '../../support/backends.js';
import { randomTensor } from '../../support/check_directional.js';
import { expectIdentical } from '../../support/expect_close.js';
import { expectKernelLikeReference } from '../../support/kernel_and_reference.js';

const pointer = (x: tf.Tensor): number =>
  (tf.backend() as unknown as WasmBackend).dataIdMap.get(x.dataId)!.memoryOffset;

describeKernels('cache write kernel', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  test.each([
    [[2, 7, 3, 5], 1, 0],
    [[2, 7, 3, 5], 3, 4],
    [[3, 7], 2, 5],
    [[2, 300, 4, 32], 130, 100],
  ])('rows in %p: %i from %i on', (shape, T, at) => {
    const [B, , ...rest] = shape;
    const inputs = [randomTensor(shape, 1), randomTensor([B, T, ...rest], 2)];
    // The kernel may take the buffer's memory, so it gets one of its own in every call.
    expectKernelLikeReference((buffer, rows) => cacheWrite(tf.add(buffer, 0), rows, at), inputs);
  });

  test('all rows, and none', () => {
    const [buffer, rows] = [randomTensor([2, 3, 5], 1), randomTensor([2, 3, 5], 2)];
    forcePath('kernel', () => {
      expectIdentical(cacheWrite(tf.zeros([2, 3, 5]), rows, 0), rows);
      expectIdentical(cacheWrite(buffer, tf.zeros([2, 0, 5]), 3), buffer);
      expect(cacheWrite(tf.zeros([0, 3, 5]), tf.zeros([0, 1, 5]), 1).shape).toEqual([0, 3, 5]);
    });
  });

  test('writes in place where nobody else has the buffer', () => {
    forcePath('kernel', () => {
      const buffer = tf.zeros([2, 5, 3]);
      const place = pointer(buffer);
      const rows = tf.ones([2, 1, 3]);
      const data = tf.engine().backend.numDataIds();
      const written = cacheWrite(buffer, rows, 2);
      expect([pointer(written), tf.engine().backend.numDataIds()]).toEqual([place, data]);
      buffer.dispose();
      expectIdentical(tf.sum(written, -1), [
        [0, 0, 3, 0, 0],
        [0, 0, 3, 0, 0],
      ]);
      tf.dispose([written, rows]);
    });
  });

  test('copies where somebody else has', () => {
    forcePath('kernel', () => {
      const buffer = tf.zeros([1, 5, 2]);
      const other = tf.reshape(buffer, [5, 2]);
      const written = cacheWrite(buffer, tf.ones([1, 2, 2]), 3);
      expect(pointer(written)).not.toBe(pointer(buffer));
      expectIdentical(other, tf.zeros([5, 2]));
      expectIdentical(tf.sum(written, -1), [[0, 0, 0, 2, 2]]);
    });
  });

  test.each(['int32', 'bool'] as const)('any type: %s', (dtype) => {
    const rows = tf.cast(tf.ones([2, 2]), dtype);
    const written = forcePath('kernel', () => cacheWrite(tf.zeros([2, 5], dtype), rows, 1));
    expect(written.dtype).toBe(dtype);
    expectIdentical(written, [
      [0, 1, 1, 0, 0],
      [0, 1, 1, 0, 0],
    ]);
  });
});
