/**
 * Initializers, regularizers and constraints as options: by name, as an object, or as the `{className, config}` of a
 * saved model. TensorFlow.js resolves these itself for its own layers but does not export how.
 */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { assert, describe } from '../util/errors.js';

/** Anything that makes initial values, as `tf.initializers` makes them. */
export type Initializer = ReturnType<typeof tfl.initializers.glorotUniform>;

/** A regularizer, as `tf.regularizers` makes them. */
export type Regularizer = ReturnType<typeof tfl.regularizers.l2>;

/** A constraint, as `tf.constraints` makes them. */
export type Constraint = ReturnType<typeof tfl.constraints.maxNorm>;

/** Class and configuration, as in a saved model. */
export interface Serialized {
  /** For example `GlorotUniform`. */
  className: string;
  /** Constructor arguments. */
  config: tf.serialization.ConfigDict;
}

/** How such an option can be given. */
export type Identifier<T> = string | Serialized | T;

type Factories = Record<string, ((args?: never) => tf.serialization.Serializable) | undefined>;

/** Keras names that TensorFlow.js does not know, in its terms. */
const INITIALIZER_ALIASES: Record<string, () => tf.serialization.Serializable> = {
  uniform: () => tfl.initializers.randomUniform({ minval: -0.05, maxval: 0.05 }),
  normal: () => tfl.initializers.randomNormal({ mean: 0, stddev: 0.05 }),
};

/**
 * Resolves an initializer.
 *
 * @param where Name of the layer, for the error.
 * @param option Name such as `glorotUniform` or `uniform`, object, or `{className, config}`.
 * @returns The initializer.
 * @throws Error listing the names when there is no such one.
 */
export function initializer(where: string, option: Identifier<Initializer>): Initializer {
  const factories = { ...tfl.initializers, ...INITIALIZER_ALIASES } as unknown as Factories;
  return resolve(where, 'initializer', option, factories) as Initializer;
}

/**
 * Resolves a regularizer.
 *
 * @param where Name of the layer, for the error.
 * @param option Name (`l1`, `l2`, `l1l2`), object, `{className, config}`, or null for none.
 * @returns The regularizer or null.
 */
export function regularizer(
  where: string,
  option: Identifier<Regularizer> | null | undefined,
): Regularizer | null {
  if (option === null || option === undefined) return null;
  return resolve(where, 'regularizer', option, tfl.regularizers) as Regularizer;
}

/**
 * Resolves a constraint.
 *
 * @param where Name of the layer, for the error.
 * @param option Name (`nonNeg`, `maxNorm`, …), object, `{className, config}`, or null for none.
 * @returns The constraint or null.
 */
export function constraint(
  where: string,
  option: Identifier<Constraint> | null | undefined,
): Constraint | null {
  if (option === null || option === undefined) return null;
  return resolve(
    where,
    'constraint',
    option,
    tfl.constraints as unknown as Factories,
  ) as Constraint;
}

/**
 * The `{className, config}` of such an object, for `getConfig`.
 *
 * @param object Initializer, regularizer, constraint, or null.
 * @returns Its serialised form, or null.
 */
export function serialized(
  object: tf.serialization.Serializable | null,
): tf.serialization.ConfigDict | null {
  if (object === null) return null;
  // An option that was not given is undefined there, and null once it has been saved.
  const config = Object.entries(object.getConfig()).map(([name, value]) => [name, value ?? null]);
  return {
    className: object.getClassName(),
    config: Object.fromEntries(config) as tf.serialization.ConfigDict,
  };
}

/**
 * The same initializer for another weight: a seeded one gets a seed of its own, or all weights would start alike.
 *
 * @param inner The initializer that several weights share.
 * @param index Which of them this is; the first, 0, keeps the seed.
 * @returns An initializer of the same class.
 */
export function reseeded(inner: Initializer, index: number): Initializer {
  const { seed } = inner.getConfig();
  if (typeof seed !== 'number' || index === 0) return inner;
  return fromSerialized('initializer', {
    className: inner.getClassName(),
    config: { ...inner.getConfig(), seed: seed + index * 7919 },
  }) as Initializer;
}

/**
 * An initializer for a kernel with more than two axes that draws it as the matrix it stands for: [D, N, H] as
 * [D, N·H], so that fan-in is D and fan-out N·H (Keras ≥ 3.15; TensorFlow.js would take it for a convolution).
 *
 * @param inner Draws the matrix.
 * @param fanIn Product of the input axes.
 * @param fanOut Product of the output axes.
 * @param index Which kernel of its layer this is: a seeded initializer draws another matrix for each.
 * @returns An initializer to hand to `addWeight`.
 */
export function matrixInitializer(
  inner: Initializer,
  fanIn: number,
  fanOut: number,
  index = 0,
): Initializer {
  const own = reseeded(inner, index);
  const drawn = {
    apply: (shape: tfl.Shape, dtype?: tf.DataType) =>
      tf.tidy(() => tf.reshape(own.apply([fanIn, fanOut], dtype), shape as number[])),
  };
  return drawn as unknown as Initializer; // addWeight calls nothing else
}

function resolve(
  where: string,
  kind: string,
  option: unknown,
  factories: Factories,
): tf.serialization.Serializable {
  if (typeof option === 'string') {
    const name = option.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    const factory = factories[name] ?? factories[name.charAt(0).toLowerCase() + name.slice(1)];
    assert(
      factory !== undefined,
      () =>
        `${where}: unknown ${kind} '${option}'. Known ones: ${Object.keys(factories).join(', ')}.`,
    );
    return factory({} as never); // some of them read their options without asking whether there are any
  }
  if (
    typeof option === 'object' &&
    option !== null &&
    'className' in option &&
    'config' in option
  ) {
    return fromSerialized(where, option as Serialized);
  }
  assert(
    typeof option === 'object' && option !== null && 'getConfig' in option,
    () =>
      `${where}: ${kind} must be a name, an object or {className, config}, got ${describe(option)}.`,
  );
  return option as tf.serialization.Serializable;
}

function fromSerialized(
  where: string,
  { className, config }: Serialized,
): tf.serialization.Serializable {
  const entry = tf.serialization.SerializationMap.getMap().classNameMap[className];
  assert(
    entry !== undefined,
    () => `${where}: class '${className}' is not registered with tf.serialization.`,
  );
  const [type, fromConfig] = entry;
  return fromConfig(type, config);
}
