import * as tf from '@tensorflow/tfjs';
import { layers } from 'tfjs-transformers';
import { checkLayer } from 'tfjs-transformers/testing';
import { describeBackends } from '../support/backends.js';
import { expectClose } from '../support/expect_close.js';

describeBackends('alibiBias', () => {
  test('everything that a layer owes its users', async () => {
    for (const shape of [
      [2, 5, 3, 7],
      [2, 4, 3],
    ]) {
      // prettier-ignore
      const make = () => layers.alibiBias({ alibiBiasMax: 6 });
      expect((await checkLayer(make, { shape })).passed).toBe(true);
    }
  });

  test('adds slope·(s − S + 1), and makes the probabilities of the option alibi under a causal mask', () => {
    const out = layers.alibiBias().apply(tf.zeros([1, 4, 2, 3])) as tf.Tensor;
    const slopes = [2 ** -2, 2 ** -4, 2 ** -6, 2 ** -8];
    const row = (slope: number): number[] => [-2 * slope, -slope, 0];
    expectClose(out, tf.tensor4d([slopes.map((slope) => [row(slope), row(slope)])]), {
      atol: 1e-7,
    });
  });

  test('bad input is named', () => {
    expect(() => layers.alibiBias().apply(tf.zeros([2, 3]))).toThrow(
      'scores must have shape [B,N,T,S] or [B,N,S], got [2,3]',
    );
    expect(() => layers.alibiBias({ alibiBiasMax: 0 })).toThrow(
      'alibiBiasMax must be a finite number',
    );
  });
});
