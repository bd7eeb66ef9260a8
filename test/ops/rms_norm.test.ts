import * as tf from '@tensorflow/tfjs';
import { rmsNorm } from '../../src/ops/rms_norm.js';
import { describeBackends } from '../support/backends.js';
import { checkDirectional, randomTensor } from '../support/check_directional.js';
import { expectClose } from '../support/expect_close.js';
import { expectNoLeaks } from '../support/expect_no_leaks.js';
import { loadFixtures } from '../support/fixtures.js';

const cases = loadFixtures('keras_layers').filter(
  ({ parameters }) =>
    parameters.class_name === 'RMSNormalization' && parameters.module === 'keras.layers',
);

describeBackends('rmsNorm', () => {
  test('values known on paper: √((1 + 49)/2) = 5', () => {
    const x = tf.tensor([
      [1, 7],
      [-7, 1],
    ]);
    expectClose(rmsNorm(x, null, { epsilon: 0 }), [
      [0.2, 1.4],
      [-1.4, 0.2],
    ]);
    expectClose(rmsNorm(x, tf.tensor([10, 100]), { epsilon: 0 }), [
      [2, 140],
      [-14, 20],
    ]);
    expectClose(rmsNorm(x, null, { epsilon: 75 }), [
      [0.1, 0.7],
      [-0.7, 0.1],
    ]); // √(25 + 75) = 10
  });

  test('a row of zeros gives zeros, with a finite gradient', () => {
    expectClose(rmsNorm(tf.zeros([1, 3])), [[0, 0, 0]]);
    expectClose(tf.grad((x: tf.Tensor) => rmsNorm(x))(tf.zeros([1, 2])), [[1000, 1000]], {
      rtol: 1e-4,
    });
  });

  test('there are Keras fixtures', () => expect(cases.length).toBeGreaterThanOrEqual(2));
  test.each(cases.map((c) => [c.name, c] as const))('Keras fixture %s', (_, c) => {
    const { axis, epsilon } = c.parameters.config;
    c.expect('out', rmsNorm(c.tensor('x'), c.tensor('weights/0'), { axis, epsilon }));
  });

  test.each([
    ['the last axis', -1, [7]],
    ['two last axes', [1, 2], [5, 7]],
    ['a middle axis', 1, [5]],
  ] as const)('gradients over %s', (_, axis, shape) => {
    const options = { axis: axis as number | number[], epsilon: 1e-2 };
    const [x, scale] = [randomTensor([3, 5, 7], 1), randomTensor([...shape], 2)];
    checkDirectional((x, s) => rmsNorm(x, s, options), [x, scale]);
    checkDirectional((x) => rmsNorm(x, null, options), [x]);
  });

  test('leaves no tensors behind', () => {
    expectNoLeaks((x, s) => rmsNorm(x, s), [randomTensor([3, 5], 1), randomTensor([5], 2)]);
    expectNoLeaks((x) => rmsNorm(x), [randomTensor([3, 5], 1)]);
  });

  test('bad input is refused', () => {
    const x = tf.ones([2, 3]);
    expect(() => rmsNorm(x, tf.ones([2]))).toThrow(
      'rmsNorm: scale must have shape of the normalised axes [3], got shape=[2].',
    );
    expect(() => rmsNorm(tf.scalar(1))).toThrow(
      'rmsNorm: x must have at least 1 axis, got shape=[].',
    );
    expect(() => rmsNorm(x, null, { epsilon: -1 })).toThrow('rmsNorm: epsilon must be');
    expect(() => rmsNorm(x, null, { axis: -3 })).toThrow(
      'rmsNorm: axis must be an integer between -2 and 1',
    );
    expect(() => rmsNorm(x, null, { eps: 1 } as never)).toThrow("rmsNorm: unknown option 'eps'.");
  });
});
