/**
 * Dropout whose mask depends only on (seed, call counter, flat index): the same bits on every backend, again in the
 * backward pass, and after a checkpoint. `tf.dropout` draws its mask with `Math.random` and cannot be resumed.
 */
import * as tf from '@tensorflow/tfjs-core';
import { assert, assertKnownOptions, describe } from '../util/errors.js';
import { assertFloatTensor } from '../util/float_tensor.js';
import { drawSeed, uniform, type RandomState, type Seed } from '../util/random.js';
import { sizeOf } from '../util/shapes.js';
import { dispatch } from './dispatch.js';

/** Options of {@link dropout}. */
export interface DropoutOptions {
  /** A number (the same mask on every call), a place in a stream, or a stream; drawn when it is not given. */
  seed?: Seed | null;
  /** False returns x as it is; true by default. */
  training?: boolean;
}

/**
 * Sets each element to 0 with probability `rate` and scales the others by 1/(1 − rate) (Srivastava et al. 2014).
 *
 * Element i is kept where u_i ≥ rate, u the uniform numbers of one Philox call.
 *
 * @param x Any shape, float32.
 * @param rate Probability of dropping, 0 ≤ rate < 1.
 * @param options {@link DropoutOptions}
 * @returns Shape of x; differentiable. With rate 0 or `training: false` a new handle on x itself, and no call of the
 *   stream is used.
 * @throws Error when rate is out of range.
 */
export function dropout(x: tf.Tensor, rate: number, options: DropoutOptions = {}): tf.Tensor {
  assertFloatTensor('dropout', 'x', x);
  assertRate('dropout', rate);
  assertKnownOptions('dropout', options, ['seed', 'training']);
  if (rate === 0 || options.training === false) return tf.clone(x); // shares the data: no copy is made
  const state = drawSeed('dropout', options.seed);
  return dispatch({
    kernel: 'TransformersDropout',
    inputs: { x },
    differentiable: ['x'],
    attrs: { rate, seed: state.seed, counter: state.counter },
    reference: () => tf.tidy(() => tf.mul(x, dropoutMask(x.shape, rate, state))),
  });
}

/**
 * The mask that {@link dropout} multiplies by.
 *
 * @param shape Shape of the mask.
 * @param rate Probability of dropping, 0 ≤ rate < 1.
 * @param state Seed and counter of the call.
 * @returns float32 tensor of that shape, 0 where dropped and 1/(1 − rate) elsewhere.
 */
export function dropoutMask(shape: readonly number[], rate: number, state: RandomState): tf.Tensor {
  assertRate('dropoutMask', rate);
  const threshold = Math.fround(rate); // what a kernel compares with in float32
  const scale = 1 / (1 - rate);
  const mask = uniform(state.seed, state.counter, sizeOf(shape));
  for (let i = 0; i < mask.length; i++) mask[i] = mask[i] >= threshold ? scale : 0;
  return tf.tensor(mask, [...shape], 'float32');
}

function assertRate(where: string, rate: number): void {
  assert(
    typeof rate === 'number' && rate >= 0 && rate < 1,
    () => `${where}: rate must be at least 0 and below 1, got rate=${describe(rate)}.`,
  );
}
