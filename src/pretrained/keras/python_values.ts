/** Values of TensorFlow.js' configurations as Python writes them. */
import type * as tf from '@tensorflow/tfjs-core';
import { snakeCase } from './python_modules.js';

/** Activations that mean the same under these names in Keras 3. */
const ACTIVATIONS: Record<string, string> = {
  elu: 'elu',
  gelu: 'gelu',
  linear: 'linear',
  logSoftmax: 'log_softmax',
  mish: 'mish',
  relu: 'relu',
  relu6: 'relu6',
  selu: 'selu',
  sigmoid: 'sigmoid',
  silu: 'silu',
  softmax: 'softmax',
  softplus: 'softplus',
  softsign: 'softsign',
  swish: 'silu',
  tanh: 'tanh',
};

/** The tanh form of gelu, which Keras' layers cannot name. */
const TANH_GELU = /^gelu_?(tanh|approximate|new|pytorch_?tanh)$/i;

/**
 * An activation by the name that Keras 3 has for it.
 *
 * @param name Its name in JavaScript.
 * @returns The name; `gelu_tanh` for the tanh form of gelu, which Keras has as an operator only; null when Keras has
 * nothing that computes the same.
 */
export function pythonActivation(name: unknown): string | null {
  if (name === null || name === undefined) return 'linear';
  if (typeof name !== 'string') return null;
  if (TANH_GELU.test(name)) return 'gelu_tanh';
  return (
    ACTIVATIONS[name] ??
    ACTIVATIONS[name.replace(/_(\w)/g, (_, c: string) => c.toUpperCase())] ??
    null
  );
}

/** Initializers that TensorFlow.js stores as a VarianceScaling, by mode and distribution. */
const SCALINGS: Record<string, string> = {
  'fanAvg uniform 1': 'GlorotUniform',
  'fanAvg normal 1': 'GlorotNormal',
  'fanIn uniform 2': 'HeUniform',
  'fanIn normal 2': 'HeNormal',
  'fanIn uniform 1': 'LecunUniform',
  'fanIn normal 1': 'LecunNormal',
};

/** Of other initializers, those that Keras has under the same name. */
const INITIALIZERS = [
  'Zeros', 'Ones', 'Constant', 'RandomUniform', 'RandomNormal', 'TruncatedNormal', 'Identity', 'VarianceScaling', 'Orthogonal',
]; // prettier-ignore

/**
 * An initializer, regularizer, constraint or plain value for a Python configuration.
 *
 * @param key Name of the option in Python.
 * @param value What TensorFlow.js' `getConfig` has for it.
 * @returns What Python reads; undefined for an initializer that Keras does not have, which only matters to new weights.
 */
export function pythonValue(key: string, value: unknown): unknown {
  if (!isSerialized(value)) {
    return key === 'data_format' || key === 'merge_mode' || key === 'padding'
      ? typeof value === 'string'
        ? snakeCase(value)
        : value
      : value;
  }
  const { className, config } = value;
  if (/initializer$/.test(key)) {
    const { mode, distribution, scale } = config as Record<string, string>;
    const name = SCALINGS[`${mode} ${distribution} ${scale}`] ?? className;
    if (name !== className) return object('initializers', name, { seed: config.seed ?? null });
    return INITIALIZERS.includes(name)
      ? object('initializers', name, pythonConfig(config))
      : undefined;
  }
  return object(
    /constraint$/.test(key) ? 'constraints' : 'regularizers',
    className,
    pythonConfig(config),
  );
}

function isSerialized(
  value: unknown,
): value is { className: string; config: tf.serialization.ConfigDict } {
  return typeof value === 'object' && value !== null && 'className' in value && 'config' in value;
}

function pythonConfig(config: tf.serialization.ConfigDict): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      snakeCase(key),
      typeof value === 'string' ? snakeCase(value) : value,
    ]),
  );
}

function object(module: string, className: string, config: Record<string, unknown>): unknown {
  return { module: `keras.${module}`, class_name: className, config, registered_name: null };
}
