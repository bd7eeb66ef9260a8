/**
 * The angles of rotary position embeddings, as tables of cosines and sines.
 */
import * as tf from '@tensorflow/tfjs-core';
import { assert, assertInteger, assertNumber, describe } from '../util/errors.js';
import { shapeText } from '../util/shapes.js';
import { sinCos } from './sin_cos.js';

/** Options of {@link rotary}. */
export interface RotaryOptions {
  /** Position of each token, [T] or [B, T], any numeric dtype; offset, offset + 1, … by default. */
  positions?: tf.Tensor;
  /** Position of the first token, 0 by default: the number of tokens in a cache. Not together with `positions`. */
  offset?: number;
  /** Base of the wavelengths, 10000 by default (Hugging Face: `rope_theta`). */
  maxWavelength?: number;
  /** Linear scaling: the frequencies are divided by it, 1 by default. */
  scalingFactor?: number;
  /** How many features are rotated, from the first; all by default. The others stay. Even. */
  rotaryDim?: number;
  /** The rotaryDim/2 frequencies themselves, in place of `maxWavelength` and `scalingFactor`. */
  inverseFrequencies?: readonly number[];
  /** Multiplies the rotated features, 1 by default (YaRN). */
  attentionFactor?: number;
}

/**
 * Frequencies of the R/2 points that are rotated: maxWavelength^(−2i/R) / scalingFactor for i = 0 … R/2−1, or the
 * ones given.
 *
 * @param rotaryDim R, even.
 * @param options Options of {@link rotary}.
 * @returns R/2 numbers.
 * @throws Error when an option is out of range.
 */
export function rotaryFrequencies(rotaryDim: number, options: RotaryOptions): Float32Array {
  const base = assertNumber('rotary', 'maxWavelength', options.maxWavelength ?? 10000, 1);
  const scaling = assertNumber('rotary', 'scalingFactor', options.scalingFactor ?? 1);
  assert(scaling > 0, () => `rotary: scalingFactor must be above 0, got scalingFactor=${scaling}.`);
  const given = options.inverseFrequencies;
  assert(
    given === undefined || (given.length === rotaryDim / 2 && given.every(Number.isFinite)),
    () =>
      `rotary: inverseFrequencies must be rotaryDim/2=${rotaryDim / 2} finite numbers, ` +
      `got inverseFrequencies=${describe(given)}.`,
  );
  return Float32Array.from(
    given ??
      Array.from({ length: rotaryDim / 2 }, (_, i) => base ** ((-2 * i) / rotaryDim) / scaling),
  );
}

/**
 * Cosines and sines of the angles position · frequency, in float32, times the attention factor.
 *
 * @param xShape [B, T, N, H] or [B, T, H].
 * @param frequencies R/2 numbers.
 * @param options Options of {@link rotary}.
 * @returns Two tensors [1 or B, T, 1, R/2], or without the 1 where x has no N.
 * @throws Error when the positions have another shape, or an option is out of range.
 */
export function rotaryTable(
  xShape: readonly number[],
  frequencies: Float32Array,
  options: RotaryOptions,
): [tf.Tensor, tf.Tensor] {
  const [B, T] = xShape;
  const { positions, offset = 0 } = options;
  const factor = assertNumber('rotary', 'attentionFactor', options.attentionFactor ?? 1);
  assertInteger('rotary', 'offset', offset, 0);
  assert(
    positions === undefined || offset === 0,
    () =>
      `rotary: offset and positions exclude each other, got offset=${offset}. Add it to the positions.`,
  );
  assert(
    positions === undefined || positions instanceof tf.Tensor,
    () => `rotary: positions must be a tensor, got positions=${describe(positions)}.`,
  );
  const given = positions?.shape.join();
  assert(
    positions === undefined || [`${T}`, `1,${T}`, `${B},${T}`].includes(given ?? ''),
    () =>
      `rotary: positions must have shape [T]=[${T}] or [B,T]=[${B},${T}], got shape=${shapeText(positions?.shape ?? [])}.`,
  );
  const batch = positions?.rank === 2 ? positions.shape[0] : 1;
  const shape = [batch, T, ...(xShape.length === 4 ? [1] : []), frequencies.length];
  if (positions !== undefined) {
    const [sin, cos] = sinCos(tf.reshape(positions, shape.slice(0, -1)), frequencies);
    return factor === 1 ? [cos, sin] : [tf.mul(cos, factor), tf.mul(sin, factor)];
  }
  // Known on the host: two uploads in place of six operations, and no device's idea of cos(10⁵).
  const cos = new Float32Array(T * frequencies.length);
  const sin = new Float32Array(cos.length);
  for (let i = 0; i < cos.length; i++) {
    const position = offset + Math.floor(i / frequencies.length);
    const angle = Math.fround(position * frequencies[i % frequencies.length]);
    cos[i] = Math.cos(angle) * factor;
    sin[i] = Math.sin(angle) * factor;
  }
  return [tf.tensor(cos, shape), tf.tensor(sin, shape)];
}
