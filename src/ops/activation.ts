import * as tf from '@tensorflow/tfjs-core';
import { assert, describe } from '../util/errors.js';
import { assertFloatTensor } from '../util/float_tensor.js';
import { gelu } from './gelu.js';
import { silu } from './silu.js';

const tanhGelu = (x: tf.Tensor): tf.Tensor => gelu(x, { approximate: true });

/** Snake case is how Keras, keras-hub and Hugging Face write a name; TensorFlow.js camel-cases it when it loads a model. */
const ACTIVATIONS = {
  relu: (x: tf.Tensor): tf.Tensor => tf.relu(x),
  gelu: (x: tf.Tensor): tf.Tensor => gelu(x),
  geluTanh: tanhGelu,
  gelu_approximate: tanhGelu,
  geluApproximate: tanhGelu,
  gelu_new: tanhGelu,
  geluNew: tanhGelu,
  gelu_pytorch_tanh: tanhGelu,
  geluPytorchTanh: tanhGelu,
  silu,
  swish: silu,
  sigmoid: (x: tf.Tensor): tf.Tensor => tf.sigmoid(x),
  tanh: (x: tf.Tensor): tf.Tensor => tf.tanh(x),
  linear: (x: tf.Tensor): tf.Tensor => tf.clone(x),
};

/** Names of activations, as Keras, keras-hub and Hugging Face spell them, and camel-cased. */
export type ActivationName = keyof typeof ACTIVATIONS;

/** All of {@link ActivationName}. */
export const activationNames = Object.keys(ACTIVATIONS) as readonly ActivationName[];

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
    typeof name === 'string' && Object.hasOwn(ACTIVATIONS, name),
    () =>
      `${where}: activation must be one of ${activationNames.join(', ')}, got activation=${describe(name)}.`,
  );
  return name as ActivationName;
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
  return ACTIVATIONS[assertActivation('activation', name)](x);
}
