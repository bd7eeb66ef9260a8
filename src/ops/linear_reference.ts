/**
 * The affine map, with a gradient of its own for two reasons. TensorFlow.js' gradient of a product with a
 * broadcast matrix does not sum over the broadcast axes, so x is flattened to two axes. And on the wasm backend only
 * a plain product of two matrices is fast (XNNPACK): with a transposition flag it falls to a scalar loop. So the
 * gradient transposes first and then multiplies plainly. Measured on wasm, one core, ms:
 *
 *     x [1024, 128] · W [128, 512]     with flags     transposed first
 *     dx = dy·Wᵀ                          73                5
 *     dW = xᵀ·dy                         139                7
 *     db = Σ dy                            3 (tf.sum)       0.1 (ones·dy)
 *
 * The bias is added by the fused product, one operation less.
 */
import * as tf from '@tensorflow/tfjs-core';
import { sumToAxes } from '../util/axes.js';

/**
 * y = x·W + b on flattened rows; dx = dy·Wᵀ, dW = xᵀ·dy, db = Σ dy.
 *
 * @param inputs x [..., D], W [D, E] and, if there is one, b [E].
 * @returns [..., E]; differentiable in all.
 */
export function linearReference(...inputs: tf.Tensor[]): tf.Tensor {
  const [D, E] = inputs[1].shape;
  const M = inputs[0].size / D;
  const hasBias = inputs.length === 3;
  const gradFunc = (dy: tf.Tensor, [x, kernel]: tf.Tensor[]): tf.Tensor[] => {
    const dyRows = tf.reshape(dy, [M, E]);
    const dx = tf.matMul(dyRows, tf.transpose(kernel));
    const dW = tf.matMul(tf.transpose(tf.reshape(x, [M, D])), dyRows);
    const gradients = [tf.reshape(dx, x.shape), dW];
    return hasBias ? [...gradients, sumToAxes(dyRows, [1])] : gradients;
  };
  return tf.customGrad((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const [x, kernel, bias] = args as tf.Tensor2D[];
    save([x, kernel]);
    const rows = tf.reshape<tf.Rank.R2>(x, [M, D]);
    // The wasm backend's fused product takes the rank of a reshaped bias from before the reshape; a slice is new.
    const y = hasBias
      ? tf.fused.matMul({ a: rows, b: kernel, bias: tf.slice(bias, 0, E) })
      : tf.matMul(rows, kernel);
    return { value: tf.reshape<tf.Rank>(y, [...x.shape.slice(0, -1), E]), gradFunc };
  })(...inputs);
}
