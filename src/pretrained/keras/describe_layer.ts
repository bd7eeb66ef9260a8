/** A layer of JavaScript as Keras would have it: class, options, and how it is called. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { describe } from '../../util/errors.js';
import type { Json } from './json.js';
import { COUNTERPARTS, type Counterpart } from './layer_counterparts.js';
import { snakeCase } from './python_modules.js';
import { pythonActivation, pythonValue } from './python_values.js';

/** What is said of a layer in a configuration of Keras. */
export interface LayerDescription {
  /** Its class. */
  readonly className: string;
  /** `keras_hub>…`, for classes of keras-hub. */
  readonly registeredName: string | null;
  /** Its configuration. */
  readonly config: Json;
  /** How it is called. */
  readonly counterpart: Counterpart;
  /** Whether the tanh form of gelu must follow. */
  readonly tanhGelu: boolean;
  /** What Keras cannot do, as texts. */
  readonly problems: readonly string[];
}

/** Options that say how TensorFlow.js holds the layer, or that are written elsewhere. */
const ELSEWHERE = ['batch_input_shape', 'dtype', 'input_dtype', 'inputs', 'layer'];

const FLOAT32 = {
  module: 'keras',
  class_name: 'DTypePolicy',
  config: { name: 'float32' },
  registered_name: null,
};

/**
 * Describes a layer.
 *
 * @param layer The layer.
 * @returns The description; null when Keras has no such layer.
 */
export function describeLayer(layer: tfl.layers.Layer): LayerDescription | null {
  return describeConfig(layer.getClassName(), layer.getConfig());
}

function describeConfig(className: string, given: Json): LayerDescription | null {
  if (className === 'Bidirectional' || className === 'TimeDistributed')
    return wrapper(className, given);
  if (className === 'RNN') {
    const { cell, ...rest } = given;
    const { className: inner, config } = cell as { className: string; config: Json };
    if (inner !== 'ResetAfterGRUCell') return null;
    const described = describeConfig('GRU', { ...config, ...rest });
    return described && { ...described, config: { ...described.config, reset_after: true } };
  }
  if (!Object.hasOwn(COUNTERPARTS, className)) return null;
  const counterpart = COUNTERPARTS[className];
  const { hub = false, renamed = {}, ignored = [], only = {}, flags = {}, options } = counterpart;
  const config: Record<string, unknown> = {
    name: given.name,
    trainable: given.trainable ?? true,
    dtype: FLOAT32,
  };
  const problems: string[] = [];
  let tanhGelu = false;
  for (const [key, value] of Object.entries(given)) {
    const snake = snakeCase(key);
    const name = renamed[snake] ?? snake;
    if (name in config || ELSEWHERE.includes(snake) || ignored.includes(snake) || key in flags)
      continue;
    if (name.endsWith('activation')) {
      const activation = pythonActivation(value);
      if (activation === null || (activation === 'gelu_tanh' && name !== 'activation')) {
        problems.push(`${key} ${describe(value)}${activationHint(value)}`);
      } else if (activation === 'gelu_tanh' && hub) config[name] = hubGelu;
      else if (activation === 'gelu_tanh') {
        config[name] = 'linear';
        tanhGelu = true;
      } else config[name] = activation;
    } else if (snake in only) {
      if (!only[snake].includes(value)) problems.push(`${key}=${describe(value)}`);
      else if (options.includes(name)) config[name] = value;
    } else if (options.includes(name)) {
      const converted = pythonValue(name, value);
      if (converted !== undefined) config[name] = converted;
    } else if ((value ?? null) !== null && value !== false) {
      problems.push(`option ${key}=${describe(value)}`);
    }
  }
  if (className === 'GRU') config.reset_after = false;
  const registeredName = hub ? `keras_hub>${counterpart.keras}` : null;
  return { className: counterpart.keras, registeredName, config, counterpart, tanhGelu, problems };
}

const hubGelu = {
  module: 'builtins',
  class_name: 'function',
  config: 'gelu_approximate',
  registered_name: 'keras_hub>gelu_approximate',
};

function activationHint(value: unknown): string {
  return value === 'hardSigmoid'
    ? " (TensorFlow.js' is not Keras 3's; 'sigmoid' is in both)"
    : ' (not in Keras 3)';
}

/** Layers that hold one layer. */
function wrapper(className: string, { layer, ...given }: Json): LayerDescription | null {
  const inner = layer as { className: string; config: Json };
  const held = describeConfig(inner.className, inner.config);
  if (!held) return null;
  const { problems } = held;
  const merge = className === 'Bidirectional' ? { merge_mode: given.mergeMode ?? 'concat' } : {};
  return {
    className,
    registeredName: null,
    config: {
      name: given.name,
      trainable: given.trainable ?? true,
      dtype: FLOAT32,
      ...merge,
      layer: {
        module: 'keras.layers',
        class_name: held.className,
        config: held.config,
        registered_name: null,
      },
    },
    counterpart: { keras: className, options: [], call: 'one' },
    tanhGelu: false,
    problems,
  };
}
