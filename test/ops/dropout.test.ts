import * as tf from '@tensorflow/tfjs';
import { dropout, dropoutMask } from '../../src/ops/dropout.js';
import { RandomStream, uniform } from '../../src/util/random.js';
import { describeBackends } from '../support/backends.js';
import { checkDirectional, randomTensor } from '../support/check_directional.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';
import { expectNoLeaks } from '../support/expect_no_leaks.js';

describeBackends('dropout', () => {
  test('keeps element i where u_i ≥ rate, scaled by 1/(1 − rate)', () => {
    const u = uniform(5, 0, 35);
    const x = randomTensor([5, 7], 1);
    const values = x.dataSync();
    const expected = Array.from(u, (u, i) => (u >= 0.75 ? 4 * values[i] : 0));
    expectIdentical(dropout(x, 0.75, { seed: 5 }), { shape: [5, 7], values: expected });
    expectIdentical(dropoutMask([5, 7], 0.75, { seed: 5, counter: 0 }), {
      shape: [5, 7],
      values: Array.from(u, (u) => (u >= 0.75 ? 4 : 0)),
    });
  });

  test('drops about the given part and keeps the mean', () => {
    const mask = dropoutMask([100, 100], 0.3, { seed: 3, counter: 9 });
    expectClose(tf.mean(mask), tf.scalar(1), { atol: 0.02 });
    const dropped = mask.dataSync().filter((value) => value === 0).length;
    expect(Math.abs(dropped / 10_000 - 0.3)).toBeLessThan(0.015);
  });

  test('a stream moves on, and goes back with its counter; a number stays', () => {
    const x = tf.ones([50]);
    const stream = new RandomStream(7);
    const first = dropout(x, 0.5, { seed: stream }).dataSync();
    const second = dropout(x, 0.5, { seed: stream }).dataSync();
    expect(second).not.toEqual(first);
    stream.counter = 0;
    expect(dropout(x, 0.5, { seed: stream }).dataSync()).toEqual(first);
    expect(dropout(x, 0.5, { seed: 7 }).dataSync()).toEqual(first);
    expect(dropout(x, 0.5, { seed: { seed: 7, counter: 1 } }).dataSync()).toEqual(second);
    expect(dropout(x, 0.5).dataSync()).not.toEqual(dropout(x, 0.5).dataSync());
  });

  test('rate 0 and training false give x and use no call of the stream', () => {
    const stream = new RandomStream(7);
    const x = randomTensor([11], 1);
    const off = dropout(x, 0.5, { seed: stream, training: false });
    expectIdentical(off, x);
    expectIdentical(dropout(x, 0, { seed: stream }), x);
    expect(stream.counter).toBe(0);
    off.dispose();
    expectIdentical(x, randomTensor([11], 1)); // x survives the disposal of the result
  });

  test('gradient: the same elements, the same scale', () => {
    const x = randomTensor([5, 7], 1);
    expectIdentical(
      tf.grad((x: tf.Tensor) => dropout(x, 0.5, { seed: 2 }))(x),
      dropoutMask([5, 7], 0.5, { seed: 2, counter: 0 }),
    );
    checkDirectional((x) => dropout(x, 0.4, { seed: 2 }), [x]);
    checkDirectional((x) => dropout(x, 0), [x]);
  });

  test('leaves no tensors behind', () => {
    expectNoLeaks((x) => dropout(x, 0.4), [randomTensor([5], 1)]);
    expectNoLeaks((x) => dropout(x, 0.4, { training: false }), [randomTensor([5], 1)]);
  });

  test('bad input is refused', () => {
    const x = tf.ones([2]);
    for (const rate of [1, -0.1, NaN, '0.5']) {
      expect(() => dropout(x, rate as number)).toThrow(
        'dropout: rate must be at least 0 and below 1, got rate=',
      );
    }
    expect(() => dropout(x, 0.5, { seed: 1.5 })).toThrow(
      'dropout: seed must be a non-negative integer',
    );
    expect(() => dropout(x, 0.5, { noise: 1 } as never)).toThrow(
      "dropout: unknown option 'noise'.",
    );
  });
});
