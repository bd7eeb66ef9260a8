import * as tf from '@tensorflow/tfjs';
import { adamWOnHost } from '../../src/ops/adam_w_on_host.js';
import type { AdamWEntry } from '../../src/ops/adam_w_step.js';
import { adamWUpdate } from '../../src/ops/adam_w_update.js';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { expectClose } from '../support/expect_close.js';

const STEP = { beta1: 0.9, beta2: 0.99, rate: 0.01, epsilon: 1e-6 };

describeBackends('adamWOnHost', () => {
  const entry = (weight: number[], gradient: number[]): AdamWEntry => ({
    weight: tf.tidy(() => tf.variable(tf.tensor1d(weight))),
    first: tf.tidy(() => tf.variable(tf.zeros([weight.length]))),
    second: tf.tidy(() => tf.variable(tf.zeros([weight.length]))),
    gradient: tf.tensor1d(gradient),
    keep: 0.999,
  });
  const dispose = ({ weight, first, second, gradient }: AdamWEntry): void =>
    tf.dispose([weight, first, second, gradient]);

  test('is the step of adamWUpdate', () => {
    const [host, device] = [0, 1].map(() => entry([0.5, -2, 3], [0.25, -1, 0.125]));
    const scale = tf.scalar(0.5);
    for (let i = 0; i < 3; i++) {
      tf.tidy(() => adamWOnHost([host], { ...STEP, scale }));
      adamWUpdate([device], { ...STEP, scale });
    }
    for (const name of ['weight', 'first', 'second'] as const)
      expectClose(host[name], device[name], { atol: 1e-6 });
    [host, device].forEach(dispose);
    scale.dispose();
  });

  test('gradients whose squares are 0 in 16 bits, and changes that are lost in them, count', () => {
    // Constant gradients: m/(√v + ε) with corrections is 1, so every step takes the learning rate away.
    const one = entry([1, 1], [1e-4, 1]);
    for (let t = 1; t <= 200; t++) {
      const [c1, c2] = [1 - STEP.beta1 ** t, Math.sqrt(1 - STEP.beta2 ** t)];
      const rate = (1e-4 * c2) / c1;
      tf.tidy(() => adamWOnHost([{ ...one, keep: 1 }], { ...STEP, rate, epsilon: 1e-12 * c2 }));
    }
    expectClose(one.weight, [0.98, 0.98], { atol: 1e-4, rtol: 0 });
    expect(Math.abs(one.weight.dataSync()[0] - 0.98)).toBeLessThan(1e-3);
    dispose(one);
  });

  test('a gradient of 0 changes nothing', () => {
    const still = entry([1, -3], [0, 0]);
    tf.tidy(() => adamWOnHost([{ ...still, keep: 1 }], { ...STEP, epsilon: 1e-8 }));
    expectClose(still.weight, [1, -3], { atol: 0, rtol: 0 });
    dispose(still);
  });

  test('a weight that was assigned to in between is taken as it is', () => {
    const one = entry([1, 2], [1, 1]);
    tf.tidy(() => adamWOnHost([one], STEP));
    tf.tidy(() => one.weight.assign(tf.tensor1d([5, 6])));
    tf.tidy(() => adamWOnHost([one], { ...STEP, rate: 0 }));
    expectClose(one.weight, [5 * 0.999, 6 * 0.999]);
    dispose(one);
  });

  test('leaves no tensor behind', () => {
    const one = entry([1, 2], [1, 1]);
    expectNoLeak(() => {
      tf.tidy(() => adamWOnHost([one], STEP));
      return [];
    });
    dispose(one);
  });
});
