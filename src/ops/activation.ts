import * as tf from '@tensorflow/tfjs-core';
import { assert, describe } from '../util/errors.js';
import { assertFloatTensor } from '../util/float_tensor.js';
import { gelu } from './gelu.js';
import { silu } from './silu.js';

const ACTIVATIONS = {
  relu: (x: tf.Tensor): tf.Tensor => tf.relu(x),
  gelu: (x: tf.Tensor): tf.Tensor => gelu(x),
  geluTanh: (x: tf.Tensor): tf.Tensor => gelu(x, { approximate: true }),
  silu,
  sigmoid: (x: tf.Tensor): tf.Tensor => tf.sigmoid(x),
  tanh: (x: tf.Tensor): tf.Tensor => tf.tanh(x),
  linear: (x: tf.Tensor): tf.Tensor => tf.clone(x),
};

/** Snake case is how Keras, keras-hub and Hugging Face write a name; TensorFlow.js camel-cases it when it loads a model. */
const SYNONYMS = {
  gelu_approximate: 'geluTanh',
  geluApproximate: 'geluTanh',
  gelu_new: 'geluTanh',
  geluNew: 'geluTanh',
  gelu_pytorch_tanh: 'geluTanh',
  geluPytorchTanh: 'geluTanh',
  swish: 'silu',
} as const;

/** The activations, each under one name; what kernels are given. */
export type Activation = keyof typeof ACTIVATIONS;

/** Names of activations, as Keras, keras-hub and Hugging Face spell them, and camel-cased. */
export type ActivationName = Activation | keyof typeof SYNONYMS;

/** All of {@link ActivationName}. */
export const activationNames = Object.keys({
  ...ACTIVATIONS,
  ...SYNONYMS,
}) as readonly ActivationName[];

/**
 * Checks the name of an activation.
 *
 * @param where Name of the function or layer that was called.
 * @param name What was given.
 * @returns The name.
 * @throws Error listing the names there are.
 */
export function assertActivation(where: string, name: unknown): ActivationName {
  assert(
    activationNames.includes(name as ActivationName),
    () =>
      `${where}: activation must be one of ${activationNames.join(', ')}, got activation=${describe(name)}.`,
  );
  return name as ActivationName;
}

/**
 * Checks the name of an activation, and finds which one it means.
 *
 * @param where Name of the function that was called.
 * @param name What was given.
 * @returns The one name that all its synonyms stand for.
 * @throws Error listing the names there are.
 */
export function resolveActivation(where: string, name: unknown): Activation {
  const known = assertActivation(where, name);
  return Object.hasOwn(SYNONYMS, known)
    ? SYNONYMS[known as keyof typeof SYNONYMS]
    : (known as Activation);
}

/**
 * Applies an activation by its name.
 *
 * `gelu` is the exact form; `geluTanh`, `gelu_approximate` (keras-hub), `gelu_new` and `gelu_pytorch_tanh`
 * (Hugging Face) and their camel-cased spellings are the tanh form; `silu` and `swish` are one function.
 *
 * @param x Any shape, float32.
 * @param name {@link ActivationName}
 * @returns Shape of x; differentiable.
 * @throws Error when the name is unknown.
 */
export function activation(x: tf.Tensor, name: ActivationName): tf.Tensor {
  assertFloatTensor('activation', 'x', x);
  return ACTIVATIONS[resolveActivation('activation', name)](x);
}
