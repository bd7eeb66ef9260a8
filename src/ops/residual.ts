import * as tf from '@tensorflow/tfjs-core';
import { assert } from '../util/errors.js';
import { assertFloatTensor } from '../util/float_tensor.js';
import { shapeText } from '../util/shapes.js';
import { dispatch } from './dispatch.js';

/**
 * A residual connection: x + added. It is `tf.add` of one shape, whose gradient is dy for both; that of `tf.add`, which
 * may have to sum over broadcast axes, keeps both inputs and costs six operations.
 *
 * @param x Any shape, float32.
 * @param added Shape of x.
 * @returns Shape of x; differentiable in both.
 * @throws Error when the shapes differ.
 */
export function residual(x: tf.Tensor, added: tf.Tensor): tf.Tensor {
  assertFloatTensor('residual', 'x', x);
  assertFloatTensor('residual', 'added', added);
  assert(
    tf.util.arraysEqual(x.shape, added.shape),
    () =>
      `residual: x and added must have one shape, got x=${shapeText(x.shape)}, added=${shapeText(added.shape)}.`,
  );
  return dispatch({
    kernel: 'TransformersResidual',
    inputs: { x, added },
    differentiable: ['x', 'added'],
    gradientInputs: [],
    reference: () => tf.add(x, added),
  });
}
