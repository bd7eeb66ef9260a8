import * as tf from '@tensorflow/tfjs-core';
import { assert, describe } from '../util/errors.js';
import { assertFloatTensor } from '../util/float_tensor.js';
import { dispatch } from './dispatch.js';

/**
 * Soft cap: cap·tanh(x/cap), the identity near 0 and never beyond ±cap (Gemma 2's attention and output logits).
 *
 * @param x Any shape, float32.
 * @param cap Positive number.
 * @returns Shape of x; differentiable, with slope 1 − (y/cap)².
 * @throws Error when cap is not positive and finite.
 */
export function softCap(x: tf.Tensor, cap: number): tf.Tensor {
  assertFloatTensor('softCap', 'x', x);
  assert(
    Number.isFinite(cap) && cap > 0,
    () => `softCap: cap must be a positive number, got cap=${describe(cap)}.`,
  );
  return dispatch({
    kernel: 'TransformersSoftCap',
    inputs: { x },
    differentiable: ['x'],
    attrs: { cap },
    reference: () => tf.tidy(() => tf.mul(tf.tanh(tf.div(x, cap)), cap)),
  });
}
