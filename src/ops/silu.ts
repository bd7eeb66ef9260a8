import * as tf from '@tensorflow/tfjs-core';
import { assertFloatTensor } from '../util/float_tensor.js';
import { dispatch } from './dispatch.js';

/** Beyond ±100 the sigmoid is 0 or 1 in float32; x is clipped there so that −Infinity gives 0, not −Infinity·0. */
const CLIP = 100;

/**
 * Sigmoid linear unit, also called swish: x·sigmoid(x) (Elfwing et al. 2017; Keras `silu`).
 *
 * @param x Any shape, float32.
 * @returns Shape of x; differentiable, with slope s·(1 + x·(1 − s)), s = sigmoid(x). silu(−∞) = 0, silu(∞) = ∞.
 */
export function silu(x: tf.Tensor): tf.Tensor {
  assertFloatTensor('silu', 'x', x);
  return dispatch({
    kernel: 'TransformersSilu',
    inputs: { x },
    differentiable: ['x'],
    reference: () => reference(x),
  });
}

function reference(x: tf.Tensor): tf.Tensor {
  const gradFunc = (dy: tf.Tensor, [x, s]: tf.Tensor[]): tf.Tensor => {
    const clipped = tf.clipByValue(x, -CLIP, CLIP);
    return tf.mul(dy, tf.mul(s, tf.add(tf.mul(clipped, tf.sub(1, s)), 1)));
  };
  return tf.customGrad((x, save) => {
    const s = tf.sigmoid(x as tf.Tensor);
    (save as tf.GradSaveFunc)([x as tf.Tensor, s]);
    return { value: tf.mul(tf.maximum(x as tf.Tensor, -CLIP), s), gradFunc };
  })(x);
}
