import type * as tfl from '@tensorflow/tfjs-layers';
import { KVCache, type KVCacheOptions } from '../cache/kv_cache.js';
import { ProjectedAttention } from '../layers/projected_attention.js';
import { assert, describe } from '../util/errors.js';
import { allLayers } from '../layers/all_layers.js';
import { isEncoderDecoder } from './encoded_source.js';

/** Layers of TensorFlow.js whose output at one token depends on others: fed a token at a time they are wrong. */
const LOOK_ACROSS_TOKENS = [
  'RNN', 'SimpleRNN', 'LSTM', 'GRU', 'ConvLSTM2D', 'Bidirectional', 'Conv1D', 'SeparableConv1D', 'Dot', 'Flatten',
  'AveragePooling1D', 'MaxPooling1D', 'GlobalAveragePooling1D', 'GlobalMaxPooling1D',
]; // prettier-ignore

/**
 * Makes an empty cache of keys and values for a model, to keep between calls of `generate`:
 *
 *     const cache = generation.createCache(model);
 *     const first = await generation.generate(model, ids, { cache });
 *     const second = await generation.generate(model, [...first.ids[0], ...reply], { cache });
 *     cache.dispose();
 *
 * The prompt is the whole conversation each time. The cache remembers which tokens it has seen; those at the start of
 * the prompt are not computed again, and where the prompt differs the cache goes back to that place. So a call gives
 * the tokens that it would give without the cache.
 *
 * It has `length`, `bytes`, `trim(length)` to go back, `fork()` to try several continuations, and `dispose()`.
 *
 * @param model A causal language model, just built or loaded.
 * @param options `capacity`: tokens to make room for at once, where the backend writes in place.
 * @returns The cache; its tensors live until `dispose`.
 * @throws Error when the model has no attention, or a layer that looks across tokens and cannot be cached.
 */
export function createCache(model: tfl.LayersModel, options: KVCacheOptions = {}): KVCache {
  const where = 'createCache';
  assert(
    !isEncoderDecoder(model),
    () =>
      `${where}: what an encoder–decoder model caches belongs to one source, so no cache is kept between calls. ` +
      'generate makes one for each call.',
  );
  const owners = cachedLayers(where, model);
  assert(
    owners.length > 0,
    () =>
      `${where}: the model must have attention layers of this package, got none, so there is nothing to cache. ` +
      'generate works on it without a cache.',
  );
  return new KVCache(owners, options);
}

/**
 * The layers of a model that write to a cache: its causal self-attention layers.
 *
 * @param where Name of the function that was called.
 * @param model A model.
 * @returns The layers; empty when the model has no self-attention layers of this package.
 * @throws Error when it has some, and a layer beside them that cannot be cached.
 */
export function cachedLayers(where: string, model: tfl.LayersModel): ProjectedAttention[] {
  const layers = [...new Set(allLayers(model).values())];
  const owners = layers.filter(
    (layer): layer is ProjectedAttention =>
      layer instanceof ProjectedAttention && isSelfAttention(layer),
  );
  if (owners.length === 0) return [];
  for (const layer of owners) {
    assert(
      layer.isCausal,
      () =>
        `${where}: every self-attention layer must be causal, got layer '${layer.name}' without useCausalMask. ` +
        'In a layer that sees later tokens, the keys of earlier ones change with each new token, so they cannot be ' +
        'cached. Set useCausalMask: true, or useCache: false.',
    );
  }
  const across = layers.find((layer) => LOOK_ACROSS_TOKENS.includes(layer.getClassName()));
  assert(
    across === undefined,
    () =>
      `${where}: layer ${describe(across!.name)} (${across!.getClassName()}) looks across tokens and cannot be cached. ` +
      'Set useCache: false.',
  );
  return owners;
}

/** Whether the query of a layer is its key and value too: it was called with no other value. */
function isSelfAttention(layer: ProjectedAttention): boolean {
  const named = layer.getConfig().inputs as string[] | undefined;
  if (named !== undefined) {
    return !named.some((name) => {
      const parts = name.split('+');
      return !parts.includes('query') && (parts.includes('value') || parts.includes('key'));
    });
  }
  // Without names the inputs are query, value, key; a second tensor is a value of its own.
  return layer.inboundNodes.every((node) => node.inputTensors.length === 1);
}
