import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { KVCache } from '../cache/kv_cache.js';
import { assert, describe } from '../util/errors.js';
import { shapeText } from '../util/shapes.js';
import type { TokenGrid } from './token_grid.js';

/** What a model can be fed, by the names of its inputs. */
const INPUTS = ['tokenIds', 'paddingMask', 'positions', 'segmentIds', 'tokenTypeIds'];

/**
 * The names under which a model takes its inputs.
 *
 * @param where Name of the function that was called.
 * @param model A model with one input of any name, which then are the ids, or with inputs named as in `models.causalLM`.
 * @returns One name an input, in the order of the model.
 * @throws Error when an input is of another name.
 */
export function inputNames(where: string, model: tfl.LayersModel): string[] {
  const inputs = model.inputs as { name: string }[] | undefined;
  assert(
    typeof model.apply === 'function' && Array.isArray(inputs) && inputs.length > 0,
    () =>
      `${where}: model must be a tf.LayersModel that has been built, got model=${describe(model)}.`,
  );
  if (inputs.length === 1) return ['tokenIds'];
  // Names of layers, not of tensors: the second model of a process has a tensor `tokenIds_1`.
  const names = (model.inputNames as string[] | undefined) ?? inputs.map(({ name }) => name);
  for (const name of names) {
    assert(
      INPUTS.includes(name),
      () =>
        `${where}: cannot feed the model's input '${name}'. Known inputs: ${INPUTS.join(', ')}.`,
    );
  }
  assert(
    names.includes('tokenIds'),
    () => `${where}: the model must have an input 'tokenIds', got inputs ${names.join(', ')}.`,
  );
  return names;
}

/**
 * The size of a model's vocabulary.
 *
 * @param where Name of the function that was called.
 * @param model A model whose only output is logits [B, T, V].
 * @returns V
 * @throws Error when it has another output.
 */
export function vocabularySizeOf(where: string, model: tfl.LayersModel): number {
  const outputs = (model.outputs as { shape: (number | null)[] }[] | undefined) ?? [];
  const size = outputs.length === 1 && outputs[0].shape.length === 3 ? outputs[0].shape[2] : null;
  assert(
    size !== null,
    () =>
      `${where}: the model must have one output, logits [B,T,V], ` +
      `got ${outputs.length === 1 ? `shape=${shapeText(outputs[0].shape)}` : `${outputs.length} outputs`}.`,
  );
  return size;
}

/**
 * Runs the model over the columns that it has not seen.
 *
 * @param model The model.
 * @param names What `inputNames` returned.
 * @param grid The tokens.
 * @param from First column to feed; 0 without a cache.
 * @param cache Where attention layers keep keys and values, if anywhere.
 * @returns Logits of the next token, [B·V]; the caller disposes of them.
 */
export function nextLogits(
  model: tfl.LayersModel,
  names: readonly string[],
  grid: TokenGrid,
  from: number,
  cache: KVCache | null,
): tf.Tensor {
  return tf.tidy(() => {
    const B = grid.rows.length;
    const T = grid.width - from;
    const feed = (values: Int32Array): tf.Tensor => tf.tensor2d(values, [B, T], 'int32');
    const makers: Record<string, () => tf.Tensor> = {
      tokenIds: () => feed(grid.idsFrom(from)),
      paddingMask: () => feed(grid.maskFrom(from)),
      positions: () => feed(grid.positionsFrom(from)),
      segmentIds: () => tf.zeros([B, T], 'int32'),
      tokenTypeIds: () => tf.zeros([B, T], 'int32'),
    };
    const inputs = names.map((name) => makers[name]());
    const kwargs: Record<string, unknown> = { training: false, lastPositionOnly: true };
    if (cache) kwargs.cache = cache;
    // What the model takes as an input is not given again; what is the default is not given at all.
    if (grid.isPadded && !names.includes('positions')) kwargs.positions = makers.positions();
    if (grid.hasPaddingFrom(from) && !names.includes('paddingMask'))
      kwargs.paddingMask = makers.paddingMask();
    const output = model.apply(inputs.length === 1 ? inputs[0] : inputs, kwargs) as tf.Tensor;
    const [rows, length, V] = output.shape;
    assert(
      output.rank === 3 && rows === B && (length === T || length === 1),
      () =>
        `generate: the model must return logits [${B},${T},V], got shape=${shapeText(output.shape)}.`,
    );
    const last = length === 1 ? output : tf.slice(output, [0, length - 1, 0], [B, 1, V]);
    return tf.reshape(last, [B * V]);
  });
}
