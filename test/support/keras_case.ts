/** Reading the cases of fixtures/keras_layers as our layers want them. */
import type * as tf from '@tensorflow/tfjs';
import type { FixtureCase } from './fixtures.js';

/**
 * Keras' snake_case option names in our camelCase.
 *
 * @param options For example `{num_heads: 3}`.
 * @returns For example `{numHeads: 3}`.
 */
export function camelCaseKeys(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
}

/**
 * The weights of a case, in the order of `layer.weights`.
 *
 * @param c The case.
 * @returns One tensor a weight.
 */
export function kerasWeights(c: FixtureCase): tf.Tensor[] {
  return (c.parameters.weights as string[]).map((_, i) => c.tensor(`weights/${i}`));
}

/**
 * A configuration that Keras saved, as it arrives in TensorFlow.js.
 *
 * @param saved Options in snake case; objects of a class hold options of their own.
 * @returns Options in camel case, without the dtype policy, which TensorFlow.js ignores.
 */
export function camelCaseConfig(saved: Record<string, unknown>): Record<string, unknown> {
  const config = camelCaseKeys(saved);
  delete config.dtype;
  for (const [name, value] of Object.entries(config)) {
    if (typeof value !== 'object' || value === null || !('class_name' in value)) continue;
    config[name] = camelCaseKeys(value as Record<string, unknown>);
  }
  return config;
}
