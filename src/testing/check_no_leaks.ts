import * as tf from '@tensorflow/tfjs-core';
import { assert } from '../util/errors.js';

/**
 * Asserts that a function leaves no tensor behind but those it returns, which are disposed of afterwards.
 *
 * Call it after a first run: what is made once (weights, say) would count as a leak.
 *
 * @param fn Synchronous function.
 * @param where First word of the error, `checkNoLeaks` by default.
 * @throws Error saying how many tensors are left, or how many that were there before are gone.
 */
export function checkNoLeaks(fn: () => tf.TensorContainer, where = 'checkNoLeaks'): void {
  const before = tf.memory().numTensors;
  const result = fn();
  assert(
    !(result instanceof Promise),
    () =>
      `${where}: fn must be synchronous, got a promise. Await inside and count tf.memory().numTensors yourself.`,
  );
  tf.dispose(result);
  const left = tf.memory().numTensors - before;
  assert(
    left <= 0,
    () =>
      `${where}: no tensor may be left behind, got ${left} more than before. Wrap the body in tf.tidy().`,
  );
  assert(
    left === 0,
    () =>
      `${where}: tensors that were there before must stay, got ${-left} fewer. Do not dispose of inputs.`,
  );
}
