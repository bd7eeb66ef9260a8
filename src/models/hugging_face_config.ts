/**
 * Configurations of Hugging Face's models, as their `config.json` holds them, in snake or camel case.
 */
import { activationNames, type ActivationName } from '../ops/activation.js';
import type { RotaryConfig } from '../layers/rotary_scaling.js';
import type { RotaryScaling } from '../layers/rotary_scaling.js';
import { assert, assertKnownOptions, describe } from '../util/errors.js';

/** What a configuration cannot say: options of ours. */
export interface ModelExtras {
  /** What the model takes, in order. Default `['tokenIds']`. */
  inputs?: ('tokenIds' | 'paddingMask' | 'positions' | 'segmentIds' | 'tokenTypeIds')[];
  /** Tokens with this id are padding. The configuration's `padTokenId` is not taken for it: it may be the end of text too. */
  padId?: number;
  /** Of everything, in place of the configuration's. */
  dropout?: number;
  /** Seed of initial weights and dropout. */
  seed?: number;
  /** Name of the model. */
  name?: string;
  /** See `TransformerOptions`. */
  gradientCheckpointing?: boolean;
}

const EXTRAS = ['inputs', 'padId', 'dropout', 'seed', 'name', 'gradientCheckpointing'];

/** What configurations hold that says nothing about the computation, or only how other programs run it. */
const IGNORED = [
  'architectures', 'modelType', 'transformersVersion', 'torchDtype', 'dtype', 'useCache', 'initializerRange', 'bosTokenId',
  'eosTokenId', 'padTokenId', 'sepTokenId', 'decoderStartTokenId', 'nameOrPath', '_nameOrPath', 'nCtx', 'outputPast', 'taskSpecificParams',
  'summaryActivation', 'summaryFirstDropout', 'summaryProjToLabels', 'summaryType', 'summaryUseProj', 'reorderAndUpcastAttn',
  'returnDict', 'outputAttentions', 'outputHiddenStates', 'id2Label', 'label2Id', 'problemType', 'classifierDropout',
  'attnImplementation', '_attnImplementation', 'chunkSizeFeedForward', 'isEncoderDecoder', 'quantizationConfig',
  'isLlamaConfig', 'directionality', 'poolerFcSize', 'poolerNumAttentionHeads', 'poolerNumFcLayers', 'poolerSizePerHead',
  'poolerType', 'gradientCheckpointing', 'hiddenActDropout', 'positionEmbeddingType', 'transformers.jsConfig',
]; // prettier-ignore

/** A configuration in camel case. */
export type Config = Record<string, unknown>;

/**
 * A configuration in camel case, checked.
 *
 * @param where Name of the model, for errors.
 * @param given What was given, keys in snake or camel case.
 * @param extras Options of ours.
 * @param known Keys that the model reads.
 * @param fixed Keys with the only value that the model can do.
 * @returns Keys in camel case; what is null is left out.
 * @throws Error naming an unknown key, or one with a value that cannot be done.
 */
export function camelCaseConfig(
  where: string,
  given: object,
  extras: ModelExtras,
  known: readonly string[],
  fixed: Readonly<Record<string, unknown>>,
): Config {
  assertKnownOptions(where, extras, EXTRAS);
  const config = camelCaseKeys(given);
  assertKnownOptions(where, config, [...known, ...Object.keys(fixed), ...IGNORED]);
  for (const [name, value] of Object.entries(fixed)) {
    assert(
      (config[name] ?? value) === value,
      () => `${where}: ${name} must be ${describe(value)}, got ${name}=${describe(config[name])}.`,
    );
  }
  return config;
}

function camelCaseKeys(given: object): Config {
  const entries = Object.entries(given as Config).filter(([, value]) => (value ?? null) !== null);
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name.replace(/(?<=.)_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
      typeof value === 'object' && !Array.isArray(value) ? camelCaseKeys(value as object) : value,
    ]),
  );
}

/**
 * A number of a configuration.
 *
 * @param config Configuration in camel case.
 * @param name Its key.
 * @param otherwise When it is not there.
 * @returns The number; options are checked by the model that they are for.
 */
export function numberIn<Otherwise extends number | undefined>(
  config: Config,
  name: string,
  otherwise: Otherwise,
): number | Otherwise {
  return (config[name] as number | undefined) ?? otherwise;
}

/**
 * The activation of a configuration.
 *
 * @param where Name of the model, for errors.
 * @param name Hugging Face's name of it.
 * @returns The same, when it is known.
 */
export function activationIn(where: string, name: unknown): ActivationName {
  assert(
    (activationNames as readonly unknown[]).includes(name),
    () =>
      `${where}: the activation must be one of ${activationNames.join(', ')}, got ${describe(name)}.`,
  );
  return name as ActivationName;
}

/**
 * Dropout rates of a configuration; all but that of attention probabilities must be one.
 *
 * @param where Name of the model, for errors.
 * @param rates Rates of embeddings and of parts of blocks, by their keys.
 * @param attention Rate of attention probabilities.
 * @param extras `dropout` in place of all of them.
 * @returns Options of a model.
 */
export function dropoutIn(
  where: string,
  rates: Record<string, number>,
  attention: number,
  extras: ModelExtras,
): { dropout: number; attentionDropout: number } {
  const { dropout } = extras;
  if (dropout !== undefined) return { dropout, attentionDropout: dropout };
  const [rate = 0, ...others] = Object.values(rates);
  assert(
    others.every((other) => other === rate),
    () =>
      `${where}: ${Object.keys(rates).join(' and ')} must be equal, got ${describe(rates)}. Or give dropout as an option.`,
  );
  return { dropout: rate, attentionDropout: attention };
}

/** Hugging Face's default of `original_max_position_embeddings` is the longest sequence of the model. */
interface RopeParameters extends Omit<RotaryScaling, 'type'> {
  ropeType?: string;
  type?: string;
  ropeTheta?: number;
  partialRotaryFactor?: number;
}

/**
 * The rotary positions of a configuration, in the form of version 4 (`ropeTheta`, `ropeScaling`) or 5 (`ropeParameters`).
 *
 * @param config Configuration in camel case.
 * @param maxSequenceLength Longest sequence of the model.
 * @param headDim H
 * @returns Option of a model.
 */
export function rotaryIn(config: Config, maxSequenceLength: number, headDim: number): RotaryConfig {
  const given = { ...(config.ropeScaling as object), ...(config.ropeParameters as object) };
  const {
    ropeType,
    type = ropeType ?? 'default',
    ropeTheta,
    partialRotaryFactor,
    ...scaling
  } = given as RopeParameters;
  const maxWavelength = ropeTheta ?? numberIn(config, 'ropeTheta', 10000);
  const share = partialRotaryFactor ?? numberIn(config, 'partialRotaryFactor', 1);
  const rotaryDim = share === 1 ? {} : { rotaryDim: Math.floor(headDim * share) };
  if (type === 'default') return { maxWavelength, ...rotaryDim };
  const original = scaling.originalMaxPositionEmbeddings ?? maxSequenceLength;
  const full = { ...scaling, type, originalMaxPositionEmbeddings: original } as RotaryScaling;
  return { maxWavelength, ...rotaryDim, scaling: full };
}
