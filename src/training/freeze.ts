import type * as tfl from '@tensorflow/tfjs-layers';
import { assert, describe } from '../util/errors.js';
import { plainWeightName } from './weight_names.js';

/**
 * Freezes weights by name: they keep their values in `training.fit`, and in TensorFlow.js' own `fit` once the model is
 * compiled after this.
 *
 *     freeze(model, 'token_embedding', 'block_0')       // all weights of these layers
 *     freeze(model, '*bias', 'block_*_norm')             // all biases; norms of all blocks
 *
 * A pattern is the path of a weight or of a layer, as `summary` and checkpoints show them; `*` stands for any
 * characters. What is frozen is no part of a saved model: freeze again after loading.
 *
 * @param model The model.
 * @param patterns At least one.
 * @returns Names of the weights that the patterns name, in the order of the model.
 * @throws Error when a pattern names no weight.
 */
export function freeze(model: tfl.LayersModel, ...patterns: string[]): string[] {
  return setTrainable('freeze', model, patterns, false);
}

/**
 * Lets frozen weights learn again; the counterpart of `freeze`. Weights of a layer whose `trainable` is false stay as
 * they are.
 *
 * @param model The model.
 * @param patterns As for `freeze`; `'*'` names all.
 * @returns Names of the weights that the patterns name.
 * @throws Error when a pattern names no weight.
 */
export function unfreeze(model: tfl.LayersModel, ...patterns: string[]): string[] {
  return setTrainable('unfreeze', model, patterns, true);
}

function setTrainable(
  where: string,
  model: tfl.LayersModel,
  patterns: readonly string[],
  trainable: boolean,
): string[] {
  assert(
    patterns.length > 0,
    () => `${where}: give at least one pattern, for example 'block_0' or '*/bias'.`,
  );
  const names = model.weights.map((weight) => plainWeightName(weight.originalName));
  const chosen = new Set<number>();
  for (const pattern of patterns) {
    const expression = expressionOf(where, pattern);
    const found = names.flatMap((name, i) => (expression.test(name) ? [i] : []));
    assert(
      found.length > 0,
      () =>
        `${where}: a pattern must name weights of the model, got ${describe(pattern)}. Its weights are ` +
        `${names.slice(0, 8).join(', ')}${names.length > 8 ? ', …' : ''}.`,
    );
    for (const i of found) chosen.add(i);
  }
  const weights = model.weights;
  return [...chosen]
    .sort((a, b) => a - b)
    .map((i) => {
      weights[i].trainable = trainable;
      return names[i];
    });
}

/** A pattern matches a whole path, or the beginning of one up to a slash. */
function expressionOf(where: string, pattern: string): RegExp {
  assert(
    typeof pattern === 'string' && pattern !== '',
    () => `${where}: a pattern must be a text such as 'block_0', got ${describe(pattern)}.`,
  );
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}(/.*)?$`);
}
