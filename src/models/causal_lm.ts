import * as tfl from '@tensorflow/tfjs-layers';
import { dense } from '../layers/dense.js';
import { dropout } from '../layers/dropout.js';
import { layerNormalization } from '../layers/layer_normalization.js';
import { paddingMask } from '../layers/padding_mask.js';
import { positionEmbedding } from '../layers/position_embedding.js';
import type { RotaryConfig } from '../layers/projected_attention.js';
import { reversibleEmbedding } from '../layers/reversible_embedding.js';
import { rmsNormalization } from '../layers/rms_normalization.js';
import { sinePositionEncoding } from '../layers/sine_position_encoding.js';
import { transformerBlock } from '../layers/transformer_block.js';
import type { Initializer } from '../layers/weight_options.js';
import type { ActivationName } from '../ops/activation.js';
import {
  assert,
  assertInteger,
  assertKnownOptions,
  assertNumber,
  describe,
} from '../util/errors.js';

/** What a model can take; each is an input [B, T] of that name. */
export type ModelInput = 'tokenIds' | 'paddingMask' | 'positions' | 'segmentIds' | 'tokenTypeIds';

/** Options of `causalLM`, with keras-hub's names. */
export interface CausalLMOptions {
  /** V */
  vocabularySize: number;
  /** Longest sequence of a model with learned positions; the others go on beyond it. */
  maxSequenceLength: number;
  /** D */
  hiddenDim: number;
  /** Number of blocks. */
  numLayers: number;
  /** N */
  numHeads: number;
  /** K. Default: `numHeads`. */
  numKeyValueHeads?: number;
  /** H. Default: D / N. */
  headDim?: number;
  /** F. Default: 4·D. */
  intermediateDim?: number;
  /** How the model knows the order of tokens. Default `learned`. */
  position?: 'learned' | 'sine' | 'rotary' | 'alibi' | 'none';
  /** Options of the rotary positions. Only with `position: 'rotary'`. */
  rotary?: RotaryConfig;
  /** Default `layer`. */
  normalization?: 'layer' | 'rms';
  /** Default 1e-5 for `layer`, 1e-6 for `rms`. */
  normEpsilon?: number;
  /** Normalise before each part of a block (GPT-2, Llama) instead of after. Default true. */
  normFirst?: boolean;
  /** Default `geluApproximate`, as in GPT-2. */
  activation?: ActivationName;
  /** Gated feed-forward layers (SwiGLU with `silu`). Default false. */
  gated?: boolean;
  /** Default true. */
  attentionBias?: boolean;
  /** Default true. */
  mlpBias?: boolean;
  /** RMS-normalise the heads of query and key. Default false. */
  qkNorm?: boolean;
  /** Whether logits = hidden·embeddingsᵀ. Default true; otherwise a head of its own, `lm_head/kernel` [D, V]. */
  tieEmbeddings?: boolean;
  /** Of embeddings, attention probabilities and the output of each part of a block. Default 0. */
  dropout?: number;
  /** Sliding window of every block. Default none. */
  window?: number;
  /** Soft cap of the attention scores. Default none. */
  softCap?: number;
  /** Tokens with this id are padding, seen by nobody. Default: no id is. */
  padId?: number;
  /** What the model takes, in order. Default `['tokenIds']`. */
  inputs?: ModelInput[];
  /** Seed of initial weights and dropout. Default: random ones. */
  seed?: number;
  /** Name of the model. */
  name?: string;
}

const OPTIONS = [
  'vocabularySize', 'maxSequenceLength', 'hiddenDim', 'numLayers', 'numHeads', 'numKeyValueHeads', 'headDim',
  'intermediateDim', 'position', 'rotary', 'normalization', 'normEpsilon', 'normFirst', 'activation', 'gated',
  'attentionBias', 'mlpBias', 'qkNorm', 'tieEmbeddings', 'dropout', 'window', 'softCap', 'padId', 'inputs', 'seed',
  'name',
]; // prettier-ignore

const INPUTS: ModelInput[] = ['tokenIds', 'paddingMask', 'positions', 'segmentIds', 'tokenTypeIds'];

/**
 * A decoder-only language model (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019).
 *
 *     x = embedding(tokenIds) (+ position)      x = block(x), numLayers times      logits = norm(x)·embeddingsᵀ
 *
 * The default is the shape of GPT-2. Llama's: `{position: 'rotary', normalization: 'rms', activation: 'silu',
 * gated: true, attentionBias: false, mlpBias: false, tieEmbeddings: false}`.
 *
 * Inputs, all [B, T]: `tokenIds` (int32) and what `inputs` names: `paddingMask` (nonzero = real), `positions`
 * (0 … T−1 by default), `segmentIds` (packed documents do not see each other), `tokenTypeIds` (embedded by the token
 * table and added, as in GPT-2). Output: logits [B, T, V], float32.
 *
 * Initial weights are N(0, 0.02²), those of projections into the residual stream divided by √(2·numLayers); biases 0,
 * norms 1.
 *
 * @param options See `CausalLMOptions`.
 * @returns An ordinary `tf.LayersModel`: `summary`, `compile`, `fit`, `save`, `tf.loadLayersModel` work on it.
 * @throws Error when an option is missing, unknown, or does not fit the others.
 */
export function causalLM(options: CausalLMOptions): tfl.LayersModel {
  checkOptions(options);
  const {
    vocabularySize,
    hiddenDim,
    numLayers,
    position = 'learned',
    tieEmbeddings = true,
  } = options;
  const seeds = seedsFrom(options.seed);
  const weights = (scale = 1): Initializer =>
    tfl.initializers.randomNormal({ mean: 0, stddev: 0.02 * scale, seed: seeds() });

  const names = options.inputs ?? ['tokenIds'];
  const inputs = Object.fromEntries(
    names.map((name) => [name, tfl.input({ name, shape: [null], dtype: 'int32' })]),
  ) as Partial<Record<ModelInput, tfl.SymbolicTensor>> & { tokenIds: tfl.SymbolicTensor };

  const embedding = reversibleEmbedding({
    name: 'token_embedding',
    inputDim: vocabularySize,
    outputDim: hiddenDim,
    embeddingsInitializer: weights(),
  });
  const add = (name: string, ...terms: tfl.SymbolicTensor[]): tfl.SymbolicTensor =>
    tfl.layers.add({ name }).apply(terms) as tfl.SymbolicTensor;

  let x = embedding.apply(inputs.tokenIds) as tfl.SymbolicTensor;
  if (inputs.tokenTypeIds) {
    x = add('token_type_add', x, embedding.apply(inputs.tokenTypeIds) as tfl.SymbolicTensor);
  }
  if (position === 'learned' || position === 'sine') {
    const layer =
      position === 'learned'
        ? positionEmbedding({
            name: 'position_embedding',
            sequenceLength: options.maxSequenceLength,
            initializer: weights(),
          })
        : sinePositionEncoding({ name: 'position_encoding' });
    const places = inputs.positions ? { positions: inputs.positions } : {};
    x = add('position_add', x, layer.apply(x, places) as tfl.SymbolicTensor);
  }
  if (options.dropout) {
    x = dropout({ name: 'embedding_dropout', rate: options.dropout, seed: seeds() ?? null }).apply(
      x,
    ) as tfl.SymbolicTensor;
  }

  const padding = paddingInputs(options.padId, inputs);
  for (let i = 0; i < numLayers; i++) {
    const block = transformerBlock({
      name: `block_${i}`,
      numHeads: options.numHeads,
      numKeyValueHeads: options.numKeyValueHeads,
      headDim: options.headDim,
      intermediateDim: options.intermediateDim ?? 4 * hiddenDim,
      normalization: options.normalization,
      normEpsilon: options.normEpsilon,
      normFirst: options.normFirst,
      activation: options.activation,
      gated: options.gated,
      attentionBias: options.attentionBias,
      mlpBias: options.mlpBias,
      qkNorm: options.qkNorm,
      rotary: position === 'rotary' ? (options.rotary ?? true) : null,
      alibi: position === 'alibi',
      window: options.window,
      softCap: options.softCap,
      dropout: options.dropout,
      useCausalMask: true,
      kernelInitializer: weights(),
      residualInitializer: weights(1 / Math.sqrt(2 * numLayers)),
      seed: seeds(),
    });
    x = block.apply(x, {
      ...padding,
      ...(position === 'rotary' && inputs.positions ? { positions: inputs.positions } : {}),
      ...(inputs.segmentIds ? { segmentIds: inputs.segmentIds } : {}),
    }) as tfl.SymbolicTensor;
  }

  if (options.normFirst ?? true) x = finalNorm(options).apply(x) as tfl.SymbolicTensor;
  const head = tieEmbeddings
    ? embedding
    : dense({
        name: 'lm_head',
        units: vocabularySize,
        useBias: false,
        kernelInitializer: weights(),
        lastPositionOnly: true,
      });
  const logits = head.apply(x) as tfl.SymbolicTensor;
  return tfl.model({
    inputs: names.map((name) => inputs[name]!),
    outputs: logits,
    ...(options.name ? { name: options.name } : {}),
  });
}

/** The masks of padding that blocks take: the model's input, what `padId` derives, or both. */
function paddingInputs(
  padId: number | undefined,
  inputs: Partial<Record<ModelInput, tfl.SymbolicTensor>> & { tokenIds: tfl.SymbolicTensor },
): { paddingMask?: tfl.SymbolicTensor; keyMask?: tfl.SymbolicTensor } {
  const derived =
    padId === undefined
      ? undefined
      : (paddingMask({ name: 'padding_mask', padId }).apply(inputs.tokenIds) as tfl.SymbolicTensor);
  const given = inputs.paddingMask;
  if (!given || !derived) return given || derived ? { paddingMask: given ?? derived } : {};
  return { paddingMask: given, keyMask: derived };
}

function finalNorm({ normalization = 'layer', normEpsilon }: CausalLMOptions): tfl.layers.Layer {
  const name = 'final_norm';
  return normalization === 'layer'
    ? layerNormalization({ name, epsilon: normEpsilon ?? 1e-5 })
    : rmsNormalization({ name, epsilon: normEpsilon ?? 1e-6 });
}

/** Seeds for the parts of a model, all different; undefined ones when the model has none. */
function seedsFrom(seed: number | undefined): () => number | undefined {
  let drawn = 0;
  return () => (seed === undefined ? undefined : seed + 7_919_317 * drawn++);
}

function checkOptions(options: CausalLMOptions): void {
  const where = 'causalLM';
  assertKnownOptions(where, options, OPTIONS);
  for (const name of [
    'vocabularySize',
    'maxSequenceLength',
    'hiddenDim',
    'numLayers',
    'numHeads',
  ] as const) {
    assertInteger(where, name, options[name]);
  }
  for (const name of ['numKeyValueHeads', 'headDim', 'intermediateDim', 'window'] as const) {
    if (options[name] !== undefined) assertInteger(where, name, options[name]);
  }
  assertNumber(where, 'dropout', options.dropout ?? 0, 0, 1);
  if (options.seed !== undefined) assertInteger(where, 'seed', options.seed, 0);
  if (options.padId !== undefined)
    assertInteger(where, 'padId', options.padId, 0, options.vocabularySize - 1);
  const {
    hiddenDim,
    numHeads,
    numKeyValueHeads = numHeads,
    headDim,
    position = 'learned',
  } = options;
  assert(
    headDim !== undefined || hiddenDim % numHeads === 0,
    () =>
      `${where}: numHeads must divide hiddenDim, got hiddenDim=${hiddenDim}, numHeads=${numHeads}. Or give headDim.`,
  );
  assert(
    numHeads % numKeyValueHeads === 0,
    () =>
      `${where}: numHeads must be a multiple of numKeyValueHeads, ` +
      `got numHeads=${numHeads}, numKeyValueHeads=${numKeyValueHeads}.`,
  );
  assert(
    ['learned', 'sine', 'rotary', 'alibi', 'none'].includes(position),
    () =>
      `${where}: position must be 'learned', 'sine', 'rotary', 'alibi' or 'none', got ${describe(position)}.`,
  );
  assert(
    options.rotary === undefined || position === 'rotary',
    () => `${where}: rotary is given, but position=${describe(position)}. Set position: 'rotary'.`,
  );
  assert(
    position !== 'rotary' || (headDim ?? hiddenDim / numHeads) % 2 === 0,
    () =>
      `${where}: rotary positions need an even head size, got ${headDim ?? hiddenDim / numHeads}.`,
  );
  assert(
    options.normalization === undefined || ['layer', 'rms'].includes(options.normalization),
    () =>
      `${where}: normalization must be 'layer' or 'rms', got ${describe(options.normalization)}.`,
  );
  const names = options.inputs ?? ['tokenIds'];
  assert(
    names.includes('tokenIds') &&
      new Set(names).size === names.length &&
      names.every((name) => INPUTS.includes(name)),
    () =>
      `${where}: inputs must hold 'tokenIds' and may hold ${INPUTS.slice(1).join(', ')}, got ${describe(names)}.`,
  );
  assert(
    !names.includes('positions') || !['alibi', 'none'].includes(position),
    () =>
      `${where}: a model with position=${describe(position)} does not use 'positions'. Leave them out of inputs.`,
  );
}
