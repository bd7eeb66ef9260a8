import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { assert, describe } from '../util/errors.js';
import { shapeText } from '../util/shapes.js';

/** What a model of one sequence can be fed, by the names of its inputs. */
export const INPUTS = ['tokenIds', 'paddingMask', 'positions', 'segmentIds', 'tokenTypeIds'];
/** What a decoder can be fed beside its own tokens. */
export const ENCODED_INPUTS = ['encoderOutput', 'encoderPaddingMask', 'encoderSegmentIds'];

/**
 * The names under which a model takes its inputs.
 *
 * @param where Name of the function that was called.
 * @param model A model with one input of any name, which then are the ids, or with inputs named as in `models.causalLM`.
 * @param known Names that can be fed.
 * @returns One name an input, in the order of the model.
 * @throws Error when an input is of another name.
 */
export function inputNames(
  where: string,
  model: tfl.LayersModel,
  known: readonly string[] = INPUTS,
): string[] {
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
      known.includes(name),
      () => `${where}: cannot feed the model's input '${name}'. Known inputs: ${known.join(', ')}.`,
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

/** What there is to feed, by name; a value that no input asks for is never made. */
export type Values = Record<string, () => tf.Tensor>;

/**
 * Calls a model.
 *
 * @param model The model.
 * @param names What `inputNames` returned.
 * @param values Its inputs by name. Those of `segmentIds` and `tokenTypeIds` are zeros.
 * @param kwargs Call arguments. A value that is also an input of the model is not given again.
 * @returns What the model returns.
 */
export function applyModel(
  model: tfl.LayersModel,
  names: readonly string[],
  values: Values,
  kwargs: Record<string, unknown>,
): tf.Tensor[] {
  const own = Object.entries(kwargs).filter(([name]) => !names.includes(name));
  const inputs = names.map((name) => values[name]());
  const output = model.apply(inputs.length === 1 ? inputs[0] : inputs, Object.fromEntries(own));
  return [output].flat() as tf.Tensor[];
}
