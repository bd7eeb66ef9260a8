import * as tf from '@tensorflow/tfjs-core';
import { assert, assertKnownOptions } from '../util/errors.js';
import { assertFloatTensor } from '../util/float_tensor.js';
import { shapeText } from '../util/shapes.js';
import { activation, resolveActivation, type ActivationName } from './activation.js';
import { dispatch } from './dispatch.js';

/** Options of {@link gatedLinearUnit}. */
export interface GatedLinearUnitOptions {
  /** Applied to the gate; `'silu'` by default (SwiGLU), `'gelu'` is GEGLU, `'relu'` ReGLU, `'sigmoid'` the first GLU. */
  activation?: ActivationName;
}

/**
 * Gated linear unit: activation(gate) · up, element by element (Shazeer 2020, "GLU Variants Improve Transformer").
 *
 * @param gate [..., F], float32; what the activation is applied to.
 * @param up Shape of gate.
 * @param options {@link GatedLinearUnitOptions}
 * @returns Shape of gate; differentiable in both.
 * @throws Error when the shapes differ.
 */
export function gatedLinearUnit(
  gate: tf.Tensor,
  up: tf.Tensor,
  options: GatedLinearUnitOptions = {},
): tf.Tensor {
  assertFloatTensor('gatedLinearUnit', 'gate', gate);
  assertFloatTensor('gatedLinearUnit', 'up', up);
  assertKnownOptions('gatedLinearUnit', options, ['activation']);
  const name = resolveActivation('gatedLinearUnit', options.activation ?? 'silu');
  assert(
    gate.shape.join() === up.shape.join(),
    () =>
      `gatedLinearUnit: gate and up must have one shape, got gate=${shapeText(gate.shape)}, up=${shapeText(up.shape)}.`,
  );
  return dispatch({
    kernel: 'TransformersGatedLinearUnit',
    inputs: { gate, up },
    differentiable: ['gate', 'up'],
    attrs: { activation: name },
    reference: () => tf.tidy(() => tf.mul(activation(gate, name), up)),
  });
}
