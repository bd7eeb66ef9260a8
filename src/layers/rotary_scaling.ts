/**
 * Rotary frequencies for sequences longer than those that a model was trained on, as Hugging Face's
 * modeling_rope_utils defines them. i = 0 … R/2−1, base = `maxWavelength`, f = `factor`, L₀ = `originalMaxPositionEmbeddings`:
 *
 *     none      base^(−2i/R)
 *     linear    base^(−2i/R) / f                                             (Chen et al., 2023)
 *     dynamic   base'^(−2i/R), base' = base·(f·max(L, L₀)/L₀ − f + 1)^(R/(R−2)), L the length so far
 *     yarn      between none (fast ones) and linear (slow ones), cos and sin times 0.1·ln f + 1   (Peng et al., 2023)
 *     llama3    none below the wavelength L₀/highFreqFactor, linear above L₀/lowFreqFactor, a blend between
 */
import type { RotaryOptions } from '../ops/rotary.js';
import {
  assert,
  assertInteger,
  assertKnownOptions,
  assertNumber,
  describe,
} from '../util/errors.js';

/** Scaling of rotary positions, with Hugging Face's names. */
export interface RotaryScaling {
  /** Hugging Face: `rope_type`. */
  type: 'linear' | 'dynamic' | 'yarn' | 'llama3';
  /** f, how many times longer sequences get. */
  factor: number;
  /** L₀, the length that the model was trained on. Needed by all but `linear`. */
  originalMaxPositionEmbeddings?: number;
  /** `llama3`. Default 1. */
  lowFreqFactor?: number;
  /** `llama3`. Default 4. */
  highFreqFactor?: number;
  /** `yarn`: rotations within L₀ from which on a frequency is kept. Default 32. */
  betaFast?: number;
  /** `yarn`: rotations within L₀ up to which a frequency is divided by f. Default 1. */
  betaSlow?: number;
  /** `yarn`: whether the bounds between which it blends are rounded outwards. Default true. */
  truncate?: boolean;
  /** `yarn`: factor of cos and sin. Default 0.1·ln f + 1, or the ratio that the two `mscale`s give. */
  attentionFactor?: number;
  /** `yarn`: with `mscaleAllDim`, the attention factor is (0.1·mscale·ln f + 1) / (0.1·mscaleAllDim·ln f + 1). */
  mscale?: number;
  /** See `mscale`. */
  mscaleAllDim?: number;
}

/** Rotary positions of an attention layer: the options of `ops.rotary` that do not depend on the call, and scaling. */
export interface RotaryConfig extends Omit<RotaryOptions, 'positions' | 'offset'> {
  /** How the frequencies are stretched for sequences longer than those trained on. Default: not. */
  scaling?: RotaryScaling | null;
}

const OPTIONS = [
  'type', 'factor', 'originalMaxPositionEmbeddings', 'lowFreqFactor', 'highFreqFactor', 'betaFast', 'betaSlow',
  'truncate', 'attentionFactor', 'mscale', 'mscaleAllDim',
]; // prettier-ignore

const TYPES = ['linear', 'dynamic', 'yarn', 'llama3'];

/**
 * Checks a scaling.
 *
 * @param where Name of the layer, for errors.
 * @param scaling What was given, or null for none.
 * @returns A copy without what is null, or null.
 * @throws Error naming what is missing or unknown.
 */
export function checkedScaling(
  where: string,
  scaling: RotaryScaling | null | undefined,
): RotaryScaling | null {
  if (scaling === null || scaling === undefined) return null;
  assertKnownOptions(`${where}: scaling`, scaling, OPTIONS);
  assert(
    TYPES.includes(scaling.type),
    () =>
      `${where}: scaling.type must be one of ${TYPES.join(', ')}, got ${describe(scaling.type)}.`,
  );
  assertNumber(where, 'scaling.factor', scaling.factor, Number.MIN_VALUE);
  if (scaling.type !== 'linear') {
    const name = 'scaling.originalMaxPositionEmbeddings';
    assertInteger(where, name, scaling.originalMaxPositionEmbeddings);
  }
  const given = Object.entries(scaling).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  return Object.fromEntries(given) as unknown as RotaryScaling;
}

/**
 * The rotary option of an attention layer as a configuration.
 *
 * @param where Name of the layer, for errors.
 * @param option True for the defaults; false, null or undefined for none.
 * @returns A copy that can be saved, or null.
 */
export function rotaryConfig(
  where: string,
  option: RotaryConfig | boolean | null | undefined,
): RotaryConfig | null {
  if (!option) return null;
  const { scaling, ...plain } = option === true ? {} : option;
  const checked = checkedScaling(where, scaling);
  return checked ? { ...plain, scaling: checked } : plain;
}

/**
 * The options of `ops.rotary` that a configuration means.
 *
 * @param config Configuration of a layer.
 * @param headDim H; R is `rotaryDim`, or H.
 * @param length Number of tokens so far, those of this call included; `dynamic` depends on it.
 * @returns Options without positions.
 */
export function rotaryOptions(
  config: RotaryConfig,
  headDim: number,
  length: number,
): RotaryOptions {
  const { scaling, ...plain } = config;
  if (!scaling) return plain;
  const R = plain.rotaryDim ?? headDim;
  const base = plain.maxWavelength ?? 10000;
  const frequencies =
    plain.inverseFrequencies ?? powers(base, R).map((f) => f / (plain.scalingFactor ?? 1));
  const inverseFrequencies = scaled(scaling, [...frequencies], base, R, length);
  const attentionFactor = plain.attentionFactor ?? attentionFactorOf(scaling);
  return { rotaryDim: R, inverseFrequencies, attentionFactor };
}

/** base^(−2i/R) */
function powers(base: number, R: number): number[] {
  return Array.from({ length: R / 2 }, (_, i) => base ** ((-2 * i) / R));
}

function scaled(
  scaling: RotaryScaling,
  frequencies: number[],
  base: number,
  R: number,
  length: number,
): number[] {
  const { type, factor, originalMaxPositionEmbeddings: L0 = 1 } = scaling;
  if (type === 'linear') return frequencies.map((frequency) => frequency / factor);
  if (type === 'dynamic') {
    const stretch = (factor * Math.max(length, L0)) / L0 - (factor - 1);
    return powers(base * stretch ** (R / (R - 2)), R);
  }
  if (type === 'llama3') {
    const { lowFreqFactor: low = 1, highFreqFactor: high = 4 } = scaling;
    return frequencies.map((frequency) => {
      const wavelength = (2 * Math.PI) / frequency;
      if (wavelength > L0 / low) return frequency / factor;
      if (wavelength < L0 / high) return frequency;
      const smooth = (L0 / wavelength - low) / (high - low);
      return ((1 - smooth) * frequency) / factor + smooth * frequency;
    });
  }
  const { betaFast = 32, betaSlow = 1, truncate = true } = scaling;
  // Index of the frequency that turns `rotations` times within L₀.
  const index = (rotations: number): number =>
    (R * Math.log(L0 / (rotations * 2 * Math.PI))) / (2 * Math.log(base));
  const round = (x: number, outwards: (x: number) => number): number =>
    truncate ? outwards(x) : x;
  const low = Math.max(round(index(betaFast), Math.floor), 0);
  const bound = Math.min(round(index(betaSlow), Math.ceil), R - 1);
  const high = bound === low ? low + 0.001 : bound;
  return frequencies.map((frequency, i) => {
    const interpolated = Math.min(1, Math.max(0, (i - low) / (high - low)));
    return (frequency / factor) * interpolated + frequency * (1 - interpolated);
  });
}

function attentionFactorOf(scaling: RotaryScaling): number {
  if (scaling.type !== 'yarn') return 1;
  const { factor, attentionFactor, mscale, mscaleAllDim } = scaling;
  const grown = (scale: number): number => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  if (attentionFactor !== undefined) return attentionFactor;
  return mscale && mscaleAllDim ? grown(mscale) / grown(mscaleAllDim) : grown(1);
}
