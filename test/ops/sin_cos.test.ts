import * as tf from '@tensorflow/tfjs';
import { cos, sin, sinCos } from '../../src/ops/sin_cos.js';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { checkDirectional, randomTensor } from '../support/check_directional.js';
import { expectClose, type Expected } from '../support/expect_close.js';
import { FLOAT32, precision } from '../support/precision.js';

const FREQUENCIES = Float32Array.of(1, 0.3, 0.01, 1e-4);

/** sin or cos in float64 of angles in float32. */
function truth(f: (angle: number) => number, positions: number[]): Expected {
  const angles = positions.flatMap((p) => Array.from(FREQUENCIES, (w) => Math.fround(p * w)));
  return { shape: [positions.length, FREQUENCIES.length], values: angles.map(f) };
}

function check(positions: tf.Tensor, tolerance: number): void {
  const list = Array.from(positions.dataSync());
  const [sin, cos] = sinCos(positions, FREQUENCIES);
  expectClose(sin, truth(Math.sin, list), { atol: tolerance, rtol: 0 });
  expectClose(cos, truth(Math.cos, list), { atol: tolerance, rtol: 0 });
}

describeBackends('sin and cos', () => {
  test('of any angle, below zero too, with their gradients', () => {
    const largest = precision() === FLOAT32 ? 1e5 : 3;
    const angles = [0, 0.001, -0.5, 1.5707964, -3.1415927, 2.5, largest / 7, -largest / 3, largest];
    const x = tf.tensor2d(angles, [3, 3]);
    const stored = Array.from(x.dataSync());
    const truth = (f: (angle: number) => number) => ({ shape: [3, 3], values: stored.map(f) });
    expectClose(sin(x), truth(Math.sin), { atol: 1e-6, rtol: 0 });
    expectClose(cos(x), truth(Math.cos), { atol: 1e-6, rtol: 0 });
    for (const f of [sin, cos]) {
      checkDirectional((y) => f(y), [randomTensor([2, 7], 3)]);
      expectNoLeak(() => tf.tidy(() => f(x)));
    }
  });
});

describeBackends('sinCos', () => {
  test('every position to 1,000, and parts of positions', () => {
    check(tf.range(0, 1001, 1, 'int32'), 1e-6);
    check(tf.linspace(0, 31, 125), 1e-6);
  });

  test('the largest positions that integers and angles are exact for', () => {
    const positions = [1023, 1600, 2047, 2048];
    if (precision() === FLOAT32) positions.push(99_991, 131_071, 262_144, 400_000);
    check(tf.tensor1d(positions, 'int32'), 1e-6);
  });

  test('keeps the axes of the positions, and leaves no tensor behind', () => {
    const positions = tf.tensor2d([3, 1, 4, 1, 5, 9], [2, 3]);
    const [sin, cos] = sinCos(positions, FREQUENCIES);
    expect([sin.shape, cos.shape]).toEqual([[2, 3, 4], [2, 3, 4]]); // prettier-ignore
    expectClose(tf.add(tf.square(sin), tf.square(cos)), tf.ones([2, 3, 4]));
    expectNoLeak(() => tf.tidy(() => sinCos(positions, FREQUENCIES)));
  });
});
