import * as tf from '@tensorflow/tfjs';
import { adamWUpdate } from '../../src/ops/adam_w_update.js';
import { describeBackends } from '../support/backends.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';

describeBackends('adamWUpdate', () => {
  const variable = (...values: number[]): tf.Variable =>
    tf.tidy(() => tf.variable(tf.tensor1d(values)));

  test('the numbers of the formula, with a scale; each weight decays by its own part', () => {
    const before = tf.memory().numTensors;
    const entry = (keep: number) => ({
      weight: variable(1, -2),
      first: variable(0.5, 0),
      second: variable(0.25, 4),
      gradient: tf.tensor1d([2, 8]),
      keep,
    });
    const entries = [entry(1), entry(0.5)];
    const scale = tf.scalar(0.5);
    adamWUpdate(entries, { beta1: 0.5, beta2: 0.75, rate: 0.1, epsilon: 0.5, scale });
    // The scaled gradient is [1, 4]: m = [0.75, 2], v = [0.4375, 7].
    for (const { weight, first, second, keep } of entries) {
      expectIdentical(first, [0.75, 2]);
      expectIdentical(second, [0.4375, 7]);
      const changes = [0.075 / (Math.sqrt(0.4375) + 0.5), 0.2 / (Math.sqrt(7) + 0.5)];
      expectClose(weight, [keep - changes[0], -2 * keep - changes[1]], { atol: 1e-6 });
    }
    for (const { weight, first, second, gradient } of entries)
      tf.dispose([weight, first, second, gradient]);
    scale.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('what held the old value keeps it', () => {
    const [weight, first, second] = [variable(1, 2, 3), variable(0, 0, 0), variable(0, 0, 0)];
    const old = tf.clone(weight);
    const gradient = tf.tensor1d([1, 1, 1]);
    const step = { beta1: 0.9, beta2: 0.9, rate: 1, epsilon: 1 };
    adamWUpdate([{ weight, first, second, gradient, keep: 1 }], step);
    expectIdentical(old, [1, 2, 3]);
    expect(weight.dataSync()[0]).toBeLessThan(1);
    tf.dispose([weight, first, second, gradient, old]);
  });

  test('says what is wrong', () => {
    const [weight, first, second] = [variable(1, 2), variable(0, 0), variable(0, 0)];
    const step = { beta1: 0.9, beta2: 0.9, rate: 1, epsilon: 1 };
    const entry = { weight, first, second, keep: 1 };
    const gradient = tf.tensor1d([1]);
    expect(() => adamWUpdate([{ ...entry, gradient }], step)).toThrow(
      'adamWUpdate: gradient must have the shape of its weight, [2], got shape=[1].',
    );
    const whole = tf.tensor1d([1, 1], 'int32');
    expect(() => adamWUpdate([{ ...entry, gradient: whole }], step)).toThrow(
      'adamWUpdate: gradient must be float32',
    );
    tf.dispose([weight, first, second, gradient, whole]);
  });
});
