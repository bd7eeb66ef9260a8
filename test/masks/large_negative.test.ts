import * as tf from '@tensorflow/tfjs';
import { largeNegative } from '../../src/masks/index.js';
import { describeBackends } from '../support/backends.js';
import { precision } from '../support/precision.js';

describeBackends('masks.largeNegative', () => {
  test('−1e9, and −3e4 where 16-bit floats are stored', () => {
    expect(largeNegative()).toBe(precision().largeNegative);
  });
});

describe('masks.largeNegative [webgl]', () => {
  // No kernel runs here: a stand-in of that name is enough to ask about the flags, which the union package registers.
  beforeAll(async () => {
    await tf.setBackend('cpu');
    const stored = tf.backend();
    tf.registerBackend('webgl', () => stored);
    expect(await tf.setBackend('webgl')).toBe(true);
  });
  afterAll(async () => {
    await tf.setBackend('cpu');
  });

  test.each([
    [true, false, -1e9],
    [false, false, -3e4],
    [false, true, -3e4],
    [true, true, -3e4], // forced after the other flag was asked for and remembered
  ])('rendering to float32 %s, forced 16-bit textures %s: %d', (enabled, forced, expected) => {
    tf.env().set('WEBGL_RENDER_FLOAT32_ENABLED', enabled);
    tf.env().set('WEBGL_FORCE_F16_TEXTURES', forced);
    expect(largeNegative()).toBe(expected);
  });
});
