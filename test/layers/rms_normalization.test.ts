import * as tf from '@tensorflow/tfjs';
import { rmsNormalization } from '../../src/layers/rms_normalization.js';
import { checkLayer } from '../../src/testing/index.js';
import { describeBackends } from '../support/backends.js';
import { expectClose } from '../support/expect_close.js';

describeBackends('rmsNormalization', () => {
  test('keeps the contract of a layer', async () => {
    await checkLayer(() => rmsNormalization({ epsilon: 0.01 }), { shape: [2, 3, 5] });
    await checkLayer(() => rmsNormalization({ axis: [1, -1] }), { shape: [2, 3, 5] });
  });

  test('a row of equal numbers becomes ones', () => {
    tf.tidy(() => {
      const layer = rmsNormalization({ epsilon: 0 });
      expectClose(layer.apply(tf.fill([1, 7], -3)) as tf.Tensor, tf.fill([1, 7], -1));
      layer.dispose();
    });
  });
});

test('axis is a list after build, as in Keras', () => {
  const layer = rmsNormalization();
  expect(layer.getConfig().axis).toBe(-1);
  layer.apply(tf.input({ shape: [3, 5] }));
  expect(layer.getConfig().axis).toEqual([-1]);
  expect(layer.weights.map((w) => [w.originalName, w.shape])).toEqual([[`${layer.name}/scale`, [5]]]); // prettier-ignore
});

test('rmsNormalization refuses axes without a size, out of range, and unknown options', () => {
  const layer = (axis: number) => rmsNormalization({ axis, name: 'norm' });
  expect(() => layer(1).apply(tf.input({ shape: [null, 5] }))).toThrow(
    'norm: the size of axis 1 must be known, got input=[null,null,5].',
  );
  expect(() => layer(3).apply(tf.input({ shape: [3, 5] }))).toThrow('norm: axis must be');
  expect(() => rmsNormalization({ eps: 1 } as never)).toThrow("RMSNormalization: unknown option 'eps'"); // prettier-ignore
});
