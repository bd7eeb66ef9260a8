import * as tfl from '@tensorflow/tfjs-layers';
import { andMask } from '../layers/and_mask.js';
import { dense } from '../layers/dense.js';
import { globalAveragePooling1d } from '../layers/global_average_pooling1d.js';
import { assert, assertInteger, describe } from '../util/errors.js';
import { bertBody, bertDefaults, pooled } from './bert.js';
import { ModelParts } from './model_parts.js';
import type { ModelInput, TransformerOptions } from './transformer_options.js';

/** Options of `sequenceClassifier`. Defaults as in `bert`. */
export interface SequenceClassifierOptions extends TransformerOptions {
  /** Number of classes. */
  numClasses: number;
  /** What of a row is classified: the mean of its real tokens, or BERT's pooled first token. Default `mean`. */
  pooling?: 'mean' | 'first';
  /** Number of token types. Default 2. */
  numTypes?: number;
  /** What the model takes, in order. Default `['tokenIds']`. */
  inputs?: ModelInput[];
  /** Whether the output is logits, or probabilities that sum to 1. Default `logits`. */
  output?: 'logits' | 'probabilities';
}

/**
 * Classifies rows of tokens: the encoder of `bert`, a pooling and a linear layer.
 *
 *     mean:   logits = dense(dropout(Σ_t mask[t]·x[t] / Σ_t mask[t]))
 *     first:  logits = dense(dropout(tanh(pooler(x[0]))))                  (Hugging Face's BertForSequenceClassification)
 *
 * Padding, by the input `paddingMask` or by `padId`, is seen by nobody and does not count in the mean.
 *
 * Inputs as in `bert`; output [B, numClasses]. Weights as in `bert`, then `pooler/…` for `first`, and `classifier/kernel`
 * [D, numClasses], `classifier/bias`.
 *
 * @param options See `SequenceClassifierOptions`.
 * @returns An ordinary `tf.LayersModel`.
 * @throws Error when an option is missing, unknown, or does not fit the others.
 */
export function sequenceClassifier(options: SequenceClassifierOptions): tfl.LayersModel {
  const where = 'sequenceClassifier';
  const full = bertDefaults(where, options, ['numClasses', 'pooling', 'output']);
  const { pooling = 'mean', output = 'logits' } = options;
  const numClasses = assertInteger(where, 'numClasses', options.numClasses);
  assert(
    ['mean', 'first'].includes(pooling),
    () => `${where}: pooling must be 'mean' or 'first', got pooling=${describe(pooling)}.`,
  );
  assert(
    ['logits', 'probabilities'].includes(output),
    () => `${where}: output must be 'logits' or 'probabilities', got output=${describe(output)}.`,
  );
  const names = options.inputs ?? ['tokenIds'];
  const parts = new ModelParts(full);
  const inputs = parts.inputs(names);
  const padding = parts.padding(inputs);
  const x = bertBody(parts, full, parts.tokenEmbedding(), inputs, padding);
  const row =
    pooling === 'first'
      ? pooled(parts, full, x)
      : mean(x, Object.values(padding) as tfl.SymbolicTensor[]);
  const classify = dense({
    name: 'classifier',
    units: numClasses,
    kernelInitializer: parts.weights(),
  });
  const logits = classify.apply(parts.dropped('pooled_dropout', row)) as tfl.SymbolicTensor;
  const softmax = (): tfl.layers.Layer => tfl.layers.softmax({ name: 'probabilities', axis: -1 });
  return tfl.model({
    inputs: names.map((name) => inputs[name]),
    outputs: output === 'logits' ? logits : (softmax().apply(logits) as tfl.SymbolicTensor),
    ...(options.name ? { name: options.name } : {}),
  });
}

/** Mean over the tokens that all masks allow. */
function mean(x: tfl.SymbolicTensor, masks: tfl.SymbolicTensor[]): tfl.SymbolicTensor {
  const pooling = globalAveragePooling1d({ name: 'pooling' });
  if (masks.length === 0) return pooling.apply(x) as tfl.SymbolicTensor;
  const mask = masks.length === 1 ? masks[0] : andMask({ name: 'real_tokens' }).apply(masks);
  return pooling.apply(x, { paddingMask: mask }) as tfl.SymbolicTensor;
}
