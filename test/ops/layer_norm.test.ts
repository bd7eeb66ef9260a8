import * as tf from '@tensorflow/tfjs';
import { layerNorm } from '../../src/ops/layer_norm.js';
import { describeBackends } from '../support/backends.js';
import { checkDirectional, randomTensor } from '../support/check_directional.js';
import { expectClose } from '../support/expect_close.js';
import { expectNoLeaks } from '../support/expect_no_leaks.js';
import { FLOAT32, precision } from '../support/precision.js';
import { loadFixtures } from '../support/fixtures.js';

const cases = loadFixtures('keras_layers').filter(
  ({ parameters }) => parameters.class_name === 'LayerNormalization',
);

describeBackends('layerNorm', () => {
  test('values known on paper: mean 3, variance 4', () => {
    const x = tf.tensor([
      [1, 5],
      [5, 1],
    ]);
    expectClose(layerNorm(x, null, null, { epsilon: 0 }), [
      [-1, 1],
      [1, -1],
    ]);
    const [gamma, beta] = [tf.tensor([10, 20]), tf.tensor([1, 2])];
    expectClose(layerNorm(x, gamma, beta, { epsilon: 0 }), [
      [-9, 22],
      [11, -18],
    ]);
    expectClose(layerNorm(x, gamma, beta, { epsilon: 12 }), [
      [-4, 12],
      [6, -8],
    ]); // √(4 + 12) = 4
    expectClose(layerNorm(x, gamma, null, { axis: 0, epsilon: 0 }), [
      [-10, 10],
      [20, -20],
    ]);
  });

  test('a constant row gives beta, not NaN', () => {
    expectClose(layerNorm(tf.fill([2, 3], 7), tf.ones([3]), tf.tensor([1, 2, 3])), [
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  test('a large mean costs no more than its own rounding', () => {
    const mean = precision() === FLOAT32 ? 10_004 : 1_004; // 10,001 is 10,000 in 16 bits
    const x = tf.tensor([[mean - 3, mean - 1, mean + 1, mean + 3]]);
    const r = 1 / Math.sqrt(5);
    expectClose(layerNorm(x, null, null, { epsilon: 0 }), [[-3 * r, -r, r, 3 * r]]);
  });

  test('there are Keras fixtures', () => expect(cases.length).toBeGreaterThanOrEqual(5));
  test.each(cases.map((c) => [c.name, c] as const))('Keras fixture %s', (_, c) => {
    const { config, weights } = c.parameters;
    const parameter = (name: string) =>
      weights.includes(name) ? c.tensor(`weights/${weights.indexOf(name)}`) : null;
    const { axis, epsilon } = config;
    c.expect(
      'out',
      layerNorm(c.tensor('x'), parameter('gamma'), parameter('beta'), { axis, epsilon }),
    );
  });

  test.each([
    ['the last axis', -1, [7]],
    ['two last axes', [1, 2], [5, 7]],
    ['all axes', [0, 1, 2], [3, 5, 7]],
    ['a middle axis', 1, [5]],
    ['the axes around one', [2, 0], [3, 7]],
  ] as const)('gradients over %s', (_, axis, shape) => {
    const options = { axis: axis as number | number[], epsilon: 1e-2 };
    const [x, gamma, beta] = [
      randomTensor([3, 5, 7], 1),
      randomTensor([...shape], 2),
      randomTensor([...shape], 3),
    ];
    checkDirectional((x, g, b) => layerNorm(x, g, b, options), [x, gamma, beta]);
    checkDirectional((x, g) => layerNorm(x, g, null, options), [x, gamma]);
    checkDirectional((x, b) => layerNorm(x, null, b, options), [x, beta]);
    checkDirectional((x) => layerNorm(x, null, null, options), [x]);
  });

  test('leaves no tensors behind', () => {
    const [x, gamma] = [randomTensor([3, 5], 1), randomTensor([5], 2)];
    expectNoLeaks((x, g, b) => layerNorm(x, g, b), [x, gamma, gamma]);
    expectNoLeaks((x) => layerNorm(x), [x]);
    expectNoLeaks((x) => layerNorm(x, null, null, { axis: 0 }), [x]);
  });

  test('bad input is refused', () => {
    const x = tf.ones([2, 3]);
    expect(() => layerNorm(x, tf.ones([2]))).toThrow(
      'layerNorm: gamma must have shape of the normalised axes [3], got shape=[2].',
    );
    expect(() => layerNorm(x, null, tf.ones([3, 1]))).toThrow('layerNorm: beta must have shape');
    expect(() => layerNorm(x, null, null, { axis: 2 })).toThrow(
      'layerNorm: axis must be an integer between -2 and 1',
    );
    expect(() => layerNorm(x, null, null, { axis: [1, -1] })).toThrow(
      'layerNorm: axis must name at least one axis and none twice, got axis=[1,-1].',
    );
    expect(() => layerNorm(x, null, null, { epsilon: NaN })).toThrow(
      'layerNorm: epsilon must be a finite number of at least 0, got epsilon=NaN.',
    );
    expect(() => layerNorm(x, null, null, { eps: 1 } as never)).toThrow(
      "layerNorm: unknown option 'eps'.",
    );
  });
});
