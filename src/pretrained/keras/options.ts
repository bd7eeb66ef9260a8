/** Options of Keras' layers in our terms. */
import type * as tf from '@tensorflow/tfjs-core';
import { describe } from '../../util/errors.js';
import { activationName, activationOf, type Activation } from './activations.js';
import type { GraphLayer } from './graph.js';
import { isObject, objectAt, textAt, type Json } from './json.js';
import type { KerasVersion } from './keras_version.js';
import type { LayerEntry } from './layer_entry.js';

/** Options that every layer may have and that say nothing about what it computes. */
const IGNORED = [
  'name', 'trainable', 'dtype', 'batch_input_shape', 'batch_shape', 'input_shape', 'build_input_shape', 'autocast', 'seed',
  'input_length', 'synchronized', 'fused', 'implementation', 'use_cudnn', 'time_major_layout',
]; // prettier-ignore

/** Options that every layer may have and that are supported only unused. */
const ONLY: Readonly<Record<string, readonly unknown[]>> = {
  activity_regularizer: [null],
  quantization_config: [null],
  lora_rank: [null],
  lora_alpha: [null],
  time_major: [false],
  ragged: [false, null],
  sparse: [false, null],
};

/** Options of a layer, converted. */
export interface ConvertedOptions {
  /** In camel case, with the name and whether it is trained. */
  readonly options: Record<string, unknown>;
  /** The activation that must follow the layer, because the layer does not have it. */
  readonly activation: Activation | null;
  /** What is not supported, as texts. */
  readonly problems: string[];
}

/**
 * Converts the configuration of a layer.
 *
 * @param layer The layer.
 * @param entry What is known of its class.
 * @param version Version of Keras.
 * @param activations Activations of the user, by their names in the file.
 * @returns Options and problems.
 */
export function convertOptions(
  { config, name }: GraphLayer,
  entry: LayerEntry,
  version: KerasVersion,
  activations: ReadonlyMap<string, string>,
): ConvertedOptions {
  const { taken = [], ignored = [], only = {} } = entry.options;
  const options: Record<string, unknown> = { name, trainable: config.trainable !== false };
  const problems = [...dtypeProblems(config.dtype), ...(entry.problems?.(config, version) ?? [])];
  let activation: Activation | null = null;
  for (const [option, value] of Object.entries(config)) {
    if (taken.includes(option)) {
      if (option === 'activation' || option === 'recurrent_activation') {
        const found = namedActivation(value, version, activations);
        const native = found && nativeName(found, entry.activations);
        if (found && native) options[camel(option)] = native;
        else if (found && option === 'activation' && entry.activations !== undefined) {
          options.activation = 'linear';
          activation = found;
        } else problems.push(`${option} ${nameFor(value)}`);
        continue;
      }
      const converted = convertValue(option, value);
      if (converted === UNKNOWN) problems.push(`${option} ${nameFor(value)}`);
      else if (converted !== undefined) options[camel(option)] = converted;
    } else if (option in only || option in ONLY) {
      const allowed = only[option] ?? ONLY[option];
      if (!allowed.some((one) => same(one, value))) problems.push(`${option}=${describe(value)}`);
    } else if (!ignored.includes(option) && !IGNORED.includes(option) && (value ?? null) !== null) {
      problems.push(`option ${option}=${describe(value)}`);
    }
  }
  return { options, activation, problems };
}

const UNKNOWN = Symbol('unknown');

/** The name of an activation in a layer that has it. */
function nativeName(activation: Activation, kind: LayerEntry['activations']): string | undefined {
  if (kind === undefined) return undefined;
  return kind === 'either' ? (activation.ours ?? activation.tfjs) : activation[kind];
}

/**
 * The name of a dtype: the name itself, or that of a policy of Keras 2 or 3.
 *
 * @param dtype The option of a layer.
 * @returns For example `float32` or `mixed_float16`; null when there is none.
 */
export function dtypeName(dtype: unknown): string | null {
  if (!isObject(dtype)) return typeof dtype === 'string' ? dtype : null;
  return textAt(objectAt(dtype, 'config'), 'name') ?? textAt(dtype, 'name');
}

/** What is wrong with a dtype. */
function dtypeProblems(dtype: unknown): string[] {
  const name = isObject(dtype) ? dtypeName(dtype) : dtype;
  if (isObject(dtype) && /Quantized|Map/.test(textAt(dtype, 'class_name') ?? '')) {
    return [`dtype policy ${nameFor(dtype)}`];
  }
  // Whatever floats it says, here they are float32.
  const known = /^((mixed_)?b?float16|float32|float64|u?int(8|16|32|64)|bool)$/;
  return (name ?? null) === null || known.test(String(name)) ? [] : [`dtype ${describe(name)}`];
}

function namedActivation(
  value: unknown,
  version: KerasVersion,
  own: ReadonlyMap<string, string>,
): Activation | null {
  const found = activationName(value);
  if (!found) return null;
  const given = own.get(found.full) ?? own.get(found.name);
  return activationOf(given ?? found.name, version);
}

/** A class, function or value as a problem shows it. */
function nameFor(value: unknown): string {
  if (!isObject(value)) return describe(value);
  const { config, class_name: className, registered_name: registered } = value;
  const name = className === 'function' ? config : className;
  return describe(typeof registered === 'string' && registered.includes('>') ? registered : name);
}

function convertValue(option: string, value: unknown): unknown {
  if (option.endsWith('_initializer') || option === 'initializer') return initializerOf(value);
  if (option.endsWith('_regularizer')) return regularizerOf(value);
  if (option.endsWith('_constraint')) return constraintOf(value);
  if (option === 'data_format' && typeof value === 'string') return camel(value);
  return value;
}

/** Initializers of TensorFlow.js. Others draw first values only, which the file's weights replace. */
const INITIALIZERS = [
  'Zeros', 'Ones', 'Constant', 'RandomUniform', 'RandomNormal', 'TruncatedNormal', 'Identity', 'VarianceScaling',
  'GlorotUniform', 'GlorotNormal', 'HeNormal', 'HeUniform', 'LeCunNormal', 'LeCunUniform', 'Orthogonal',
]; // prettier-ignore

const INITIALIZER_NAMES: Readonly<Record<string, string>> = {
  LecunNormal: 'LeCunNormal',
  LecunUniform: 'LeCunUniform',
  OrthogonalInitializer: 'Orthogonal',
};

/** Arguments that TensorFlow.js' initializers read. */
const INITIALIZER_OPTIONS = [
  'seed',
  'minval',
  'maxval',
  'mean',
  'stddev',
  'value',
  'gain',
  'scale',
  'mode',
  'distribution',
];

function initializerOf(value: unknown): unknown {
  if (!isObject(value)) return undefined; // a name is an old spelling of a default
  const full = textAt(value, 'class_name') ?? '';
  const className = INITIALIZER_NAMES[full] ?? full;
  if (!INITIALIZERS.includes(className)) return undefined;
  const config = Object.entries(objectAt(value, 'config'))
    .filter(([name]) => INITIALIZER_OPTIONS.includes(name))
    .map(([name, one]) => [
      name,
      typeof one === 'string' ? camel(one) : isObject(one) ? null : one,
    ]);
  return { className, config: Object.fromEntries(config) as tf.serialization.ConfigDict };
}

function regularizerOf(value: unknown): unknown {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'string') {
    const strength = { l1: [0.01, 0], l2: [0, 0.01], l1_l2: [0.01, 0.01] }[value];
    if (!strength) return UNKNOWN;
    return { className: 'L1L2', config: { l1: strength[0], l2: strength[1] } };
  }
  if (!isObject(value) || !['L1', 'L2', 'L1L2'].includes(textAt(value, 'class_name') ?? '')) {
    return UNKNOWN;
  }
  const config = objectAt(value, 'config');
  return { className: 'L1L2', config: { l1: config.l1 ?? 0, l2: config.l2 ?? 0 } };
}

function constraintOf(value: unknown): unknown {
  if (value === null || value === undefined) return undefined;
  const className = textAt(value, 'class_name') ?? '';
  if (!['MaxNorm', 'UnitNorm', 'NonNeg', 'MinMaxNorm'].includes(className)) return UNKNOWN;
  const config = Object.entries(objectAt(value, 'config')).map(([name, one]) => [camel(name), one]);
  return { className, config: Object.fromEntries(config) as Json };
}

function same(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
}

/**
 * A name in camel case.
 *
 * @param name For example `num_heads`.
 * @returns For example `numHeads`.
 */
export function camel(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
