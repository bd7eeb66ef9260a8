import * as tf from '@tensorflow/tfjs-core';
import { broadcastShape, normalizeAxes, sumToAxes } from '../util/axes.js';
import { assertKnownOptions, assertNumber } from '../util/errors.js';
import { assertFloatTensor, assertParameter } from '../util/float_tensor.js';
import { dispatch } from './dispatch.js';

/** Options of {@link layerNorm}. */
export interface LayerNormOptions {
  /** Axis or axes over which mean and variance are taken; the last one by default. */
  axis?: number | number[];
  /** Added to the variance, 1e-5 by default (the default of PyTorch; the Keras layer has 1e-3). */
  epsilon?: number;
}

/**
 * Layer normalisation: y = (x − μ) / √(σ² + ε) · γ + β, with the mean μ and the biased variance σ² of the normalised
 * axes (Ba, Kiros, Hinton 2016; Keras `LayerNormalization`).
 *
 * The statistics stay of size 1 along the normalised axes; nothing is tiled. With x̂ = (x − μ)·r, r = 1/√(σ² + ε)
 * and g = dy·γ, the gradient is dx = r·(g − mean(g) − x̂·mean(g·x̂)).
 *
 * @param x Any shape with at least one axis, float32.
 * @param gamma γ, with the sizes of the normalised axes in ascending order ([D] by default); none means 1.
 * @param beta β, of the same shape; none means 0.
 * @param options {@link LayerNormOptions}
 * @returns Shape of x; differentiable in x, gamma and beta.
 * @throws Error when an axis is out of range or a parameter has another shape.
 */
export function layerNorm(
  x: tf.Tensor,
  gamma?: tf.Tensor | null,
  beta?: tf.Tensor | null,
  options: LayerNormOptions = {},
): tf.Tensor {
  assertFloatTensor('layerNorm', 'x', x, 1);
  assertKnownOptions('layerNorm', options, ['axis', 'epsilon']);
  const axes = normalizeAxes('layerNorm', options.axis ?? -1, x.rank);
  const epsilon = assertNumber('layerNorm', 'epsilon', options.epsilon ?? 1e-5, 0);
  const shape = axes.map((axis) => x.shape[axis]);
  assertParameter('layerNorm', 'gamma', gamma, shape, 'of the normalised axes ');
  assertParameter('layerNorm', 'beta', beta, shape, 'of the normalised axes ');
  const inputs = { x, ...(gamma ? { gamma } : {}), ...(beta ? { beta } : {}) };
  return dispatch({
    kernel: `TransformersLayerNorm${gamma ? '' : 'NoGamma'}${beta ? '' : 'NoBeta'}`,
    inputs,
    differentiable: Object.keys(inputs),
    attrs: { axes, epsilon },
    reference: () => reference(x, gamma ?? null, beta ?? null, axes, epsilon),
  });
}

function reference(
  x: tf.Tensor,
  gamma: tf.Tensor | null,
  beta: tf.Tensor | null,
  axes: number[],
  epsilon: number,
): tf.Tensor {
  const along = broadcastShape(x.shape, axes);
  const hasGamma = gamma !== null;
  const hasBeta = beta !== null;
  const inputs = [x, gamma, beta].filter((input) => input !== null);
  const gradFunc = (dy: tf.Tensor, [normal, inverse, gamma]: tf.Tensor[]): tf.Tensor[] => {
    const g = hasGamma ? tf.mul(dy, tf.reshape(gamma, along)) : dy;
    const centred = tf.sub(g, tf.mean(g, axes, true));
    const slope = tf.mean(tf.mul(g, normal), axes, true);
    const gradients = [tf.mul(tf.sub(centred, tf.mul(normal, slope)), inverse)];
    if (hasGamma) gradients.push(sumToAxes(tf.mul(dy, normal), axes));
    if (hasBeta) gradients.push(sumToAxes(dy, axes));
    return gradients;
  };
  return tf.customGrad((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const [x, ...parameters] = args as tf.Tensor[];
    const centred = tf.sub(x, tf.mean(x, axes, true));
    const variance = tf.mean(tf.square(centred), axes, true);
    const inverse = tf.rsqrt(tf.add(variance, epsilon));
    const normal = tf.mul(centred, inverse);
    save(hasGamma ? [normal, inverse, parameters[0]] : [normal, inverse]);
    let y: tf.Tensor = normal;
    if (hasGamma) y = tf.mul(y, tf.reshape(parameters[0], along));
    if (hasBeta) y = tf.add(y, tf.reshape(parameters[parameters.length - 1], along));
    return { value: y, gradFunc };
  })(...inputs);
}
