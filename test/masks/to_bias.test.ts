import * as tf from '@tensorflow/tfjs';
import * as masks from '../../src/masks/index.js';
import { describeBackends } from '../support/backends.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';
import { precision } from '../support/precision.js';

describeBackends('masks.toBias', () => {
  let L: number;
  beforeAll(() => {
    L = precision().largeNegative;
  });

  test('[The, cat, <PAD>, <PAD>] gives four rows [0, 0, −, −]', () => {
    tf.tidy(() => {
      const bias = masks.toBias(masks.padding([[5, 9, 0, 0]]));
      expect(bias.dtype).toBe('float32');
      expectIdentical(bias, [[[[0, 0, L, L]]]]);
      const rows = tf.add(bias, tf.zeros([1, 1, 4, 4]));
      expectIdentical(rows, [[[0, 1, 2, 3].map(() => [0, 0, L, L])]]);
    });
  });

  test('three tokens causal give [[0,−,−],[0,0,−],[0,0,0]]', () => {
    tf.tidy(() => {
      expectIdentical(masks.toBias(masks.causal(3)), [[[[0, L, L], [0, 0, L], [0, 0, 0]]]]); // prettier-ignore
    });
  });

  test('any dtype, nonzero = may attend, whatever the number', () => {
    tf.tidy(() => {
      expectIdentical(masks.toBias(tf.tensor1d([0.5, -2, 0, -0, precision().smallest])), [
        0,
        0,
        L,
        L,
        0,
      ]);
      expectIdentical(masks.toBias(tf.tensor1d([3, 0, 256], 'int32')), [0, L, 0]);
      expectIdentical(masks.toBias([true, false]), [0, L]);
    });
  });

  test('softmax gives masked keys exactly 0', () => {
    tf.tidy(() => {
      const scores = tf.tensor1d([88, 3, -88, 2]);
      const p = tf.softmax(tf.add(scores, masks.toBias([0, 1, 0, 1])));
      const e = Math.E;
      expectClose(p, [0, e / (1 + e), 0, 1 / (1 + e)]);
      expect(Array.from(p.dataSync())[0]).toBe(0);
    });
  });

  test('a bool mask stays itself, in a tensor of its own', () => {
    const mask = tf.tensor1d([true, false], 'bool');
    const copy = masks.toBool(mask);
    mask.dispose();
    expect(copy.dtype).toBe('bool');
    expectIdentical(copy, [1, 0]);
    copy.dispose();
  });
});
