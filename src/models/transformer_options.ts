/** What the models of this package can be told: one description of a stack of transformer blocks. */
import type { RotaryConfig } from '../layers/rotary_scaling.js';
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

/** Options that all models share, with keras-hub's names. Defaults that differ between models are theirs to say. */
export interface TransformerOptions {
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
  /** Epsilon of the normalisations. */
  normEpsilon?: number;
  /** Normalise before each part of a block (GPT-2, Llama) instead of after (BERT). */
  normFirst?: boolean;
  /** Of the feed-forward layers. */
  activation?: ActivationName;
  /** Gated feed-forward layers (SwiGLU with `silu`). Default false. */
  gated?: boolean;
  /** Default true. */
  attentionBias?: boolean;
  /** Default true. */
  mlpBias?: boolean;
  /** RMS-normalise the heads of query and key. Default false. */
  qkNorm?: boolean;
  /** Of embeddings, attention probabilities and the output of each part of a block. Default 0. */
  dropout?: number;
  /** Of attention probabilities. Default: `dropout`. */
  attentionDropout?: number;
  /** Sliding window of the self-attention. Default none. */
  window?: number;
  /** Soft cap of the attention scores. Default none. */
  softCap?: number;
  /** Tokens with this id are padding, seen by nobody. Default: no id is. */
  padId?: number;
  /** Seed of initial weights and dropout. Default: random ones. */
  seed?: number;
  /** Name of the model. */
  name?: string;
  /**
   * In training, keep only what enters each block and compute the block again for the gradients: the same numbers with
   * less memory in more time. Default false.
   */
  gradientCheckpointing?: boolean;
}

/** Names of `TransformerOptions`. */
const OPTIONS = [
  'vocabularySize', 'maxSequenceLength', 'hiddenDim', 'numLayers', 'numHeads', 'numKeyValueHeads', 'headDim',
  'intermediateDim', 'position', 'rotary', 'normalization', 'normEpsilon', 'normFirst', 'activation', 'gated',
  'attentionBias', 'mlpBias', 'qkNorm', 'dropout', 'attentionDropout', 'window', 'softCap', 'padId', 'seed', 'name',
  'gradientCheckpointing',
]; // prettier-ignore

const INPUTS: readonly string[] = [
  'tokenIds', 'paddingMask', 'positions', 'segmentIds', 'tokenTypeIds',
]; // prettier-ignore

const POSITIONS = ['learned', 'sine', 'rotary', 'alibi', 'none'];

/**
 * Checks the options of a model.
 *
 * @param where Name of the model, for errors.
 * @param options What was given.
 * @param more Names of the options that this model has beside the shared ones.
 * @throws Error when an option is missing, unknown, or does not fit the others.
 */
export function checkTransformerOptions(
  where: string,
  options: TransformerOptions,
  more: readonly string[],
): void {
  assertKnownOptions(where, options, [...OPTIONS, ...more]);
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
  assertNumber(where, 'attentionDropout', options.attentionDropout ?? 0, 0, 1);
  if (options.seed !== undefined) assertInteger(where, 'seed', options.seed, 0);
  if (options.padId !== undefined)
    assertInteger(where, 'padId', options.padId, 0, options.vocabularySize - 1);
  const { hiddenDim, numHeads, numKeyValueHeads = numHeads, headDim } = options;
  const { position = 'learned', normalization = 'layer' } = options;
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
    POSITIONS.includes(position),
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
    ['layer', 'rms'].includes(normalization),
    () => `${where}: normalization must be 'layer' or 'rms', got ${describe(normalization)}.`,
  );
}

/**
 * Checks the names of a model's inputs.
 *
 * @param where Name of the model, for errors.
 * @param names What was given.
 * @param options Options of the model.
 * @param required Names that must be there.
 * @param optional Names that may be.
 * @throws Error naming what is missing, unknown or of no use.
 */
export function checkInputs(
  where: string,
  names: readonly string[],
  { position = 'learned' }: TransformerOptions,
  required: readonly string[] = INPUTS.slice(0, 1),
  optional: readonly string[] = INPUTS.slice(1),
): void {
  assert(
    required.every((name) => names.includes(name)) &&
      new Set(names).size === names.length &&
      names.every((name) => required.includes(name) || optional.includes(name)),
    () =>
      `${where}: inputs must hold ${required.map(describe).join(' and ')} and may hold ${optional.join(', ')}, ` +
      `got ${describe(names)}.`,
  );
  const places = names.filter((name) => /positions/i.test(name));
  assert(
    places.length === 0 || !['alibi', 'none'].includes(position),
    () =>
      `${where}: a model with position=${describe(position)} does not use ${describe(places[0])}. Leave them out of inputs.`,
  );
}
