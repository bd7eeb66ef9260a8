import * as tf from '@tensorflow/tfjs';
import { andMask } from '../../src/layers/and_mask.js';
import { checkLayer } from '../../src/testing/index.js';
import { describeBackends } from '../support/backends.js';
import { expectIdentical } from '../support/expect_close.js';

describeBackends('andMask', () => {
  test('keeps the contract of a layer', async () => {
    const mask = (...shape: number[]) => ({ shape, dtype: 'int32' as const });
    await checkLayer(() => andMask(), [mask(2, 1, 1, 5), mask(2, 1, 3, 5)]);
    await checkLayer(() => andMask(), [mask(2, 5), mask(2, 7, 3, 5), mask(2, 3, 5)]);
    await checkLayer(() => andMask(), mask(2, 5));
  });

  test('is true where every mask is nonzero; [B,S] masks keys, even when B = T', () => {
    tf.tidy(() => {
      const keys = tf.tensor2d([[1, 1, 0], [1, 0, 1]]); // prettier-ignore
      const pairs = tf.tensor([1, 1, 1, 0, 2, -1, 1, 1, 1, 1, 1, 0], [2, 1, 2, 3]);
      const expected = [
        [[[true, true, false], [false, true, false]]],
        [[[true, false, true], [true, false, false]]],
      ]; // prettier-ignore
      expectIdentical(andMask().apply([keys, pairs]) as tf.Tensor, expected);
    });
  });
});

test('symbolic shapes broadcast, open sizes included', () => {
  const shapeOf = (...shapes: (number | null)[][]) => andMask().computeOutputShape(shapes);
  expect(shapeOf([null, 1, 1, null], [null, 1, 3, 5])).toEqual([null, 1, 3, 5]);
  expect(shapeOf([null, 1, 4, 1], [null, 2, null, null])).toEqual([null, 2, 4, null]);
  expect(shapeOf([null, null], [2, 1, 3, null])).toEqual([2, 1, 3, null]);
  expect(() => shapeOf([null, 3], [null, 4])).toThrow('masks must broadcast, got [null,3] and [null,4].'); // prettier-ignore
  expect(() => andMask({ axis: 1 } as never)).toThrow("AndMask: unknown option 'axis'");
});
