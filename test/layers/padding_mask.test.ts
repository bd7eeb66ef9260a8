import * as tf from '@tensorflow/tfjs';
import { paddingMask } from '../../src/layers/padding_mask.js';
import { checkLayer } from '../../src/testing/index.js';
import { describeBackends } from '../support/backends.js';
import { expectIdentical } from '../support/expect_close.js';

describeBackends('paddingMask', () => {
  test('keeps the contract of a layer', async () => {
    await checkLayer(() => paddingMask({ padId: 1 }), { shape: [2, 5], dtype: 'int32', max: 3 });
  });

  test('is true where an id is not padId, for int32 and float32 ids', () => {
    tf.tidy(() => {
      const ids = tf.tensor2d([[5, 0, 3], [3, 3, 0]], [2, 3], 'int32'); // prettier-ignore
      const expected = [[[[true, false, true]]], [[[true, true, false]]]];
      expectIdentical(paddingMask().apply(ids) as tf.Tensor, expected);
      expectIdentical(paddingMask().apply(tf.cast(ids, 'float32')) as tf.Tensor, expected);
      const other = [[[[true, true, false]]], [[[false, false, true]]]];
      expectIdentical(paddingMask({ padId: 3 }).apply(ids) as tf.Tensor, other);
    });
  });
});

test('paddingMask refuses ids of another rank and a padId that is no integer', () => {
  const layer = paddingMask({ name: 'mask' });
  expect(() => layer.apply(tf.input({ shape: [3, 5] }))).toThrow(
    'mask: token ids must have shape [B,S], got shape=[null,3,5].',
  );
  expect(() => paddingMask({ padId: 0.5 })).toThrow('PaddingMask: padId must be an integer');
  expect(() => paddingMask({ padID: 0 } as never)).toThrow("Did you mean 'padId'?");
});
