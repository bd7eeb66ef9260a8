/** Activations by Keras' names, and what they are here. */
import type { ActivationName } from '../../ops/activation.js';
import { isObject, objectAt } from './json.js';
import type { KerasVersion } from './keras_version.js';

/** An activation. */
export interface Activation {
  /** Its name in layers of this package, where they have it. */
  readonly ours?: ActivationName;
  /** Its name in layers of TensorFlow.js, where they have it and it survives saving. */
  readonly tfjs?: string;
  /** The operator that it is. */
  readonly op: string;
  /** Operands of the operator behind the tensor. */
  readonly operands?: readonly (number | boolean | null)[];
}

const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  linear: { ours: 'linear', tfjs: 'linear', op: 'linear' },
  relu: { ours: 'relu', tfjs: 'relu', op: 'relu' },
  gelu: { ours: 'gelu', tfjs: 'gelu', op: 'gelu' },
  gelu_approximate: { ours: 'geluApproximate', op: 'gelu', operands: [true] },
  gelu_new: { ours: 'geluApproximate', op: 'gelu', operands: [true] },
  quick_gelu: { op: 'quickGelu' },
  silu: { ours: 'silu', tfjs: 'swish', op: 'silu' },
  swish: { ours: 'silu', tfjs: 'swish', op: 'silu' },
  sigmoid: { ours: 'sigmoid', tfjs: 'sigmoid', op: 'sigmoid' },
  tanh: { ours: 'tanh', tfjs: 'tanh', op: 'tanh' },
  softmax: { tfjs: 'softmax', op: 'softmax' },
  log_softmax: { op: 'logSoftmax' },
  elu: { tfjs: 'elu', op: 'elu' },
  selu: { tfjs: 'selu', op: 'selu' },
  softplus: { tfjs: 'softplus', op: 'softplus' },
  softsign: { tfjs: 'softsign', op: 'softsign' },
  exponential: { op: 'exponential' },
  relu6: { tfjs: 'relu6', op: 'relu6' },
  leaky_relu: { op: 'leakyRelu', operands: [0.2] },
  mish: { tfjs: 'mish', op: 'mish' },
  hard_silu: { op: 'hardSilu' },
  hard_swish: { op: 'hardSilu' },
};

/** Layers that Keras takes for an activation too, with no options of their own. */
const LAYERS: Readonly<Record<string, string>> = {
  ReLU: 'relu',
  Softmax: 'softmax',
  ELU: 'elu',
};

/**
 * The name of an activation in a configuration.
 *
 * @param value What stands at `activation`: a name, `{class_name: 'function', config: name}`, null.
 * @returns The name without a package, and with it; null when it is of a form that is not known.
 */
export function activationName(value: unknown): { name: string; full: string } | null {
  if (value === null || value === undefined) return { name: 'linear', full: 'linear' };
  if (typeof value === 'string') {
    return { name: value.slice(value.lastIndexOf('>') + 1), full: value };
  }
  if (!isObject(value)) return null;
  const { class_name: className, config, registered_name: registered } = value;
  if (className === 'function' && typeof config === 'string') {
    const full = typeof registered === 'string' && registered !== 'function' ? registered : config;
    return { name: config.slice(config.lastIndexOf('>') + 1), full };
  }
  if (typeof className === 'string' && className in LAYERS) {
    const plain = ['negative_slope', 'threshold', 'max_value', 'axis', 'alpha'].every((name) =>
      [undefined, null, 0, 1, -1].includes(objectAt(value, 'config')[name] as number),
    );
    return plain ? { name: LAYERS[className], full: className } : null;
  }
  return null;
}

/**
 * An activation by name.
 *
 * @param name Keras' name without a package.
 * @param version Version of Keras.
 * @returns The activation, or null when it is not known.
 */
export function activationOf(name: string, version: KerasVersion): Activation | null {
  if (name === 'hard_sigmoid') {
    return version.major < 3
      ? { tfjs: 'hardSigmoid', op: 'hardSigmoidOfKeras2' }
      : { op: 'hardSigmoid' };
  }
  return Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : null;
}
