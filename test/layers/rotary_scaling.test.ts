/** Values worked out with Hugging Face's formulas, in float64. */
import * as tf from '@tensorflow/tfjs';
import { layers } from 'tfjs-transformers';
import {
  rotaryConfig,
  rotaryOptions,
  type RotaryScaling,
} from '../../src/layers/rotary_scaling.js';
import { expectClose } from '../support/expect_close.js';

const R = 8;
const plain = [1, 1e-1, 1e-2, 1e-3];
const frequencies = (scaling: RotaryScaling, length = 1): number[] => [
  ...rotaryOptions({ scaling }, R, length).inverseFrequencies!,
];
const close = (got: number[], want: number[]): void =>
  expectClose(tf.tensor1d(got), tf.tensor1d(want), { rtol: 1e-6 });

describe('rotary scaling', () => {
  beforeAll(() => tf.setBackend('cpu'));

  test('none and linear', () => {
    expect(rotaryOptions({ maxWavelength: 50 }, R, 9)).toEqual({ maxWavelength: 50 });
    close(
      frequencies({ type: 'linear', factor: 4 }),
      plain.map((f) => f / 4),
    );
  });

  test('dynamic grows the base once the sequence is longer than what was trained on', () => {
    const scaling = { type: 'dynamic', factor: 2, originalMaxPositionEmbeddings: 10 } as const;
    close(frequencies(scaling, 10), plain);
    // base' = 10000·(2·30/10 − 1)^(8/6)
    const base = 10000 * 5 ** (8 / 6);
    close(
      frequencies(scaling, 30),
      [0, 1, 2, 3].map((i) => base ** (-i / 4)),
    );
  });

  test('llama3 keeps short wavelengths, divides long ones, blends between', () => {
    const scaling = {
      type: 'llama3',
      factor: 8,
      originalMaxPositionEmbeddings: 200,
      lowFreqFactor: 1,
      highFreqFactor: 4,
    } as const;
    // Wavelengths 6.28 and 628 are outside of 50 … 200; 62.8 is between.
    const smooth = (200 / (2 * Math.PI * 10) - 1) / 3;
    close(frequencies(scaling), [1, ((1 - smooth) * 0.1) / 8 + smooth * 0.1, 0.01 / 8, 0.001 / 8]);
  });

  test('yarn blends by how often a frequency turns, and scales the result', () => {
    const scaling = { type: 'yarn', factor: 4, originalMaxPositionEmbeddings: 2048 } as const;
    // Bounds: 8·ln(2048/(32·2π))/(2·ln 10⁴) = 1.008 → 1 and 8·ln(2048/2π)/(2·ln 10⁴) = 2.513 → 3.
    close(frequencies(scaling), [1, 0.1, (0.01 / 4) * 0.5 + 0.01 * 0.5, 0.001 / 4]);
    const [low, high] = [32, 1].map(
      (n) => (8 * Math.log(2048 / (n * 2 * Math.PI))) / (2 * Math.log(10000)),
    );
    const ramp = (2 - low) / (high - low);
    close(frequencies({ ...scaling, truncate: false }), [1, 0.1, (0.01 / 4) * ramp + 0.01 * (1 - ramp), 0.001 / 4]); // prettier-ignore
    const factor = (more: object): number =>
      rotaryOptions({ scaling: { ...scaling, ...more } }, R, 1).attentionFactor!;
    expect(factor({})).toBeCloseTo(0.1 * Math.log(4) + 1, 12);
    expect(factor({ attentionFactor: 1.5 })).toBe(1.5);
    expect(factor({ factor: 1 })).toBe(1);
    const ratio = (0.05 * Math.log(4) + 1) / (0.2 * Math.log(4) + 1);
    expect(factor({ mscale: 0.5, mscaleAllDim: 2 })).toBeCloseTo(ratio, 12);
  });

  test('attention honours it, with a cache as Hugging Face does', () => {
    const scaling = { type: 'llama3', factor: 8, originalMaxPositionEmbeddings: 4 } as const;
    const x = tf.randomNormal([1, 7, 6], 0, 1, 'float32', 3);
    const options = { numHeads: 1, keyDim: 6, useCausalMask: true };
    const [scaled, unscaled] = [{ scaling }, {}].map((rotary) =>
      layers.multiHeadAttention({ ...options, rotary }),
    );
    scaled.apply(x);
    unscaled.apply(x);
    unscaled.setWeights(scaled.getWeights());
    const apart = tf.sub(scaled.apply(x) as tf.Tensor, unscaled.apply(x) as tf.Tensor);
    expect(apart.abs().max().dataSync()[0]).toBeGreaterThan(1e-3);
    expect(scaled.getConfig().rotary).toEqual({ scaling });
    const inverseFrequencies = [...rotaryOptions({ scaling }, 6, 7).inverseFrequencies!];
    const same = layers.multiHeadAttention({ ...options, rotary: { inverseFrequencies } });
    same.apply(x);
    same.setWeights(scaled.getWeights());
    expectClose(same.apply(x) as tf.Tensor, scaled.apply(x) as tf.Tensor, { atol: 1e-6 });
  });

  test('bad scalings are named', () => {
    const of = (scaling: object) => () => rotaryConfig('attention', { scaling: scaling as never });
    expect(of({ type: 'ntk', factor: 2 })).toThrow(
      "scaling.type must be one of linear, dynamic, yarn, llama3, got 'ntk'",
    );
    expect(of({ type: 'linear', factor: 0 })).toThrow('scaling.factor must be a finite number');
    expect(of({ type: 'yarn', factor: 2 })).toThrow(
      'scaling.originalMaxPositionEmbeddings must be an integer',
    );
    expect(of({ type: 'linear', factor: 2, ropeTheta: 3 })).toThrow("unknown option 'ropeTheta'");
    expect(rotaryConfig('attention', true)).toEqual({});
    expect(rotaryConfig('attention', false)).toBe(null);
  });
});
