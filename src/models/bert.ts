import * as tfl from '@tensorflow/tfjs-layers';
import { bias } from '../layers/bias.js';
import { dense } from '../layers/dense.js';
import { firstToken } from '../layers/first_token.js';
import type { ReversibleEmbedding } from '../layers/reversible_embedding.js';
import { assert, assertInteger, describe } from '../util/errors.js';
import { ModelParts, type ModelInputs } from './model_parts.js';
import {
  checkInputs,
  checkTransformerOptions,
  type ModelInput,
  type TransformerOptions,
} from './transformer_options.js';

/** What `bert` can return: hidden states [B, T, D], the pooled first token [B, D], logits of tokens [B, T, V]. */
export type BertOutput = 'lastHiddenState' | 'poolerOutput' | 'logits';

/**
 * Options of `bert`. Defaults are those of BERT: `normFirst` false, `activation` `gelu` (exact), `normEpsilon` 1e-12.
 */
export interface BertOptions extends TransformerOptions {
  /** Number of token types. Default 2. */
  numTypes?: number;
  /** What the model takes, in order. Default `['tokenIds']`. */
  inputs?: ModelInput[];
  /** What the model returns, in order. Default `['lastHiddenState', 'poolerOutput']`. */
  outputs?: BertOutput[];
}

const OUTPUTS: BertOutput[] = ['lastHiddenState', 'poolerOutput', 'logits'];

/**
 * An encoder of text (Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers", 2019).
 *
 *     x = dropout(norm(embedding(tokenIds) + type(tokenTypeIds) + position))      x = block(x), numLayers times
 *     poolerOutput = tanh(dense(x[:, 0]))
 *     logits = norm(gelu(dense(x)))·embeddingsᵀ + bias                            the masked language model
 *
 * Inputs, all [B, T]: `tokenIds` (int32) and what `inputs` names: `paddingMask` (nonzero = real), `positions` (0 … T−1 by
 * default), `segmentIds` (packed documents do not see each other), `tokenTypeIds` (0 by default; they are also taken as a
 * call argument). Outputs are what `outputs` names.
 *
 * Weights: `token_embedding/embeddings` [V, D], `token_type_embedding/embeddings` [types, D],
 * `position_embedding/embeddings` [L, D], `embedding_norm/…`, `block_0/…` as in `TransformerBlock`; `pooler/…`;
 * `head_dense/…`, `head_norm/…`, `head_bias/bias` [V]. Initial weights as in `causalLM`.
 *
 * @param options See `BertOptions`.
 * @returns An ordinary `tf.LayersModel`.
 * @throws Error when an option is missing, unknown, or does not fit the others.
 */
export function bert(options: BertOptions): tfl.LayersModel {
  const where = 'bert';
  const full = bertDefaults(where, options, ['outputs']);
  const names = options.inputs ?? ['tokenIds'];
  const wanted = options.outputs ?? OUTPUTS.slice(0, 2);
  assert(
    wanted.length > 0 &&
      new Set(wanted).size === wanted.length &&
      wanted.every((name) => OUTPUTS.includes(name)),
    () =>
      `${where}: outputs must be some of ${OUTPUTS.join(', ')}, each once, got ${describe(wanted)}.`,
  );
  const parts = new ModelParts(full);
  const inputs = parts.inputs(names);
  const embedding = parts.tokenEmbedding();
  const x = bertBody(parts, full, embedding, inputs);
  const makers: Record<BertOutput, () => tfl.SymbolicTensor> = {
    lastHiddenState: () => x,
    poolerOutput: () => pooled(parts, full, x),
    logits: () => {
      const wide = dense({
        name: 'head_dense',
        units: full.hiddenDim,
        activation: full.activation,
        kernelInitializer: parts.weights(),
      });
      const normed = parts.norm('head_norm').apply(wide.apply(x));
      return bias({ name: 'head_bias' }).apply(embedding.apply(normed)) as tfl.SymbolicTensor;
    },
  };
  return tfl.model({
    inputs: names.map((name) => inputs[name]),
    outputs: wanted.map((name) => makers[name]()),
    ...(options.name ? { name: options.name } : {}),
  });
}

/** Options of models that are BERT but for their end. */
type BertLike = TransformerOptions & Pick<BertOptions, 'numTypes' | 'inputs'>;

/**
 * The options of such a model, checked and with BERT's defaults.
 *
 * @param where Name of the model, for errors.
 * @param options What was given.
 * @param more Names of options that this model has beside them.
 * @returns All of them.
 */
export function bertDefaults<Options extends BertLike>(
  where: string,
  options: Options,
  more: readonly string[],
): Options & { numTypes: number; activation: NonNullable<TransformerOptions['activation']> } {
  checkTransformerOptions(where, options, ['numTypes', 'inputs', ...more]);
  checkInputs(where, options.inputs ?? ['tokenIds'], options);
  assertInteger(where, 'numTypes', options.numTypes ?? 2);
  const { normalization = 'layer' } = options;
  return {
    ...options,
    numTypes: options.numTypes ?? 2,
    normFirst: options.normFirst ?? false,
    activation: options.activation ?? 'gelu',
    normEpsilon: options.normEpsilon ?? (normalization === 'layer' ? 1e-12 : 1e-6),
  };
}

/**
 * Embeddings and blocks of such a model.
 *
 * @param parts Makes them.
 * @param options What `bertDefaults` returned.
 * @param embedding The token table.
 * @param inputs Inputs of the model.
 * @param padding Masks of padding.
 * @returns [B, T, D]
 */
export function bertBody(
  parts: ModelParts,
  { numTypes }: { numTypes: number },
  embedding: ReversibleEmbedding,
  inputs: ModelInputs,
  padding = parts.padding(inputs),
): tfl.SymbolicTensor {
  const embedded = parts.embedded(embedding, inputs, numTypes);
  return parts.stacked(embedded, inputs, { causal: false, padding });
}

/**
 * BERT's pooler: tanh(dense(x[:, 0])).
 *
 * @param parts Draws the initial weights.
 * @param options Says how wide it is.
 * @param x [B, T, D]
 * @returns [B, D]
 */
export function pooled(
  parts: ModelParts,
  { hiddenDim }: TransformerOptions,
  x: tfl.SymbolicTensor,
): tfl.SymbolicTensor {
  const first = firstToken({ name: 'first_token' }).apply(x);
  const kernelInitializer = parts.weights();
  const layer = dense({ name: 'pooler', units: hiddenDim, activation: 'tanh', kernelInitializer });
  return layer.apply(first) as tfl.SymbolicTensor;
}
