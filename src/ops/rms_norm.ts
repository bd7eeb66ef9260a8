import * as tf from '@tensorflow/tfjs-core';
import { broadcastShape, normalizeAxes, sumToAxes } from '../util/axes.js';
import { assertKnownOptions, assertNumber } from '../util/errors.js';
import { assertFloatTensor, assertParameter } from '../util/float_tensor.js';
import { dispatch } from './dispatch.js';

/** Options of {@link rmsNorm}. */
export interface RmsNormOptions {
  /** Axis or axes over which the mean square is taken; the last one by default. */
  axis?: number | number[];
  /** Added to the mean square, 1e-6 by default. */
  epsilon?: number;
}

/**
 * Root-mean-square normalisation: y = x / √(mean(x²) + ε) · scale (Zhang, Sennrich 2019; Keras `RMSNormalization`).
 *
 * With x̂ = x·r, r = 1/√(mean(x²) + ε) and g = dy·scale, the gradient is dx = r·(g − x̂·mean(g·x̂)).
 *
 * @param x Any shape with at least one axis, float32.
 * @param scale With the sizes of the normalised axes in ascending order ([D] by default); none means 1.
 * @param options {@link RmsNormOptions}
 * @returns Shape of x; differentiable in x and scale.
 * @throws Error when an axis is out of range or `scale` has another shape.
 */
export function rmsNorm(
  x: tf.Tensor,
  scale?: tf.Tensor | null,
  options: RmsNormOptions = {},
): tf.Tensor {
  assertFloatTensor('rmsNorm', 'x', x, 1);
  assertKnownOptions('rmsNorm', options, ['axis', 'epsilon']);
  const axes = normalizeAxes('rmsNorm', options.axis ?? -1, x.rank);
  const epsilon = assertNumber('rmsNorm', 'epsilon', options.epsilon ?? 1e-6, 0);
  const shape = axes.map((axis) => x.shape[axis]);
  assertParameter('rmsNorm', 'scale', scale, shape, 'of the normalised axes ');
  const inputs: Record<string, tf.Tensor> = scale ? { x, scale } : { x };
  return dispatch({
    kernel: scale ? 'TransformersRmsNorm' : 'TransformersRmsNormNoScale',
    inputs,
    differentiable: Object.keys(inputs),
    attrs: { axes, epsilon },
    reference: () => reference(Object.values(inputs), axes, epsilon),
  });
}

function reference(inputs: tf.Tensor[], axes: number[], epsilon: number): tf.Tensor {
  const along = broadcastShape(inputs[0].shape, axes);
  const hasScale = inputs.length === 2;
  const gradFunc = (dy: tf.Tensor, [normal, inverse, scale]: tf.Tensor[]): tf.Tensor[] => {
    const g = hasScale ? tf.mul(dy, tf.reshape(scale, along)) : dy;
    const slope = tf.mean(tf.mul(g, normal), axes, true);
    const dx = tf.mul(tf.sub(g, tf.mul(normal, slope)), inverse);
    return hasScale ? [dx, sumToAxes(tf.mul(dy, normal), axes)] : [dx];
  };
  return tf.customGrad((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const [x, scale] = args as tf.Tensor[];
    const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(x), axes, true), epsilon));
    const normal = tf.mul(x, inverse);
    save(hasScale ? [normal, inverse, scale] : [normal, inverse]);
    return {
      value: hasScale ? tf.mul(normal, tf.reshape(scale, along)) : normal,
      gradFunc,
    };
  })(...inputs);
}
