/** What the backend under test can be held to: the one place that widens the tolerances of the tests. */

/** Least tolerances of a number format. */
export interface Precision {
  /** Least absolute and relative tolerance of a comparison with numbers from elsewhere. */
  atol: number;
  rtol: number;
  /** Least step and tolerance of finite differences. */
  step: number;
  slope: number;
  /** A large number that is stored as it is, and the smallest one. */
  largest: number;
  smallest: number;
  /** What hides a key in an additive mask. */
  largeNegative: number;
  /** The infinities as far as they can be stored. */
  infinities: number[];
}

/** float32: each test's own tolerance holds. */
export const FLOAT32: Precision = {
  ...{ atol: 0, rtol: 0, step: 0, slope: 0 },
  ...{ largest: Math.fround(1e30), smallest: 1e-30, largeNegative: -1e9 },
  infinities: [-Infinity, Infinity],
};

/**
 * 16-bit floats have a significand of 11 bits: one rounding is at most 2⁻¹¹ = 4.9e-4 of a number, and every operation
 * in a chain rounds. Differences over a step h are off by about rounding/h, so the step is long and the slope coarse.
 */
export const FLOAT16: Precision = {
  ...{ atol: 2e-2, rtol: 2e-2, step: 0.25, slope: 0.1 },
  ...{ largest: 65504, smallest: 2 ** -14, largeNegative: -3e4 },
  infinities: [], // what is beyond 65,504 is NaN in SwiftShader
};

let current = FLOAT32;

/** The precision that `expectClose` and `checkDirectional` allow for. */
export function precision(): Precision {
  return current;
}

/**
 * A number as the backend under test stores it.
 *
 * @param x Any number that is not too large for it.
 * @returns x, or the nearest of 11 significant bits.
 */
export function asStored(x: number): number {
  if (current !== FLOAT16 || x === 0) return x;
  const unit = 2 ** (Math.max(-14, Math.floor(Math.log2(Math.abs(x)))) - 10);
  return Math.round(x / unit) * unit;
}

/**
 * Sets the precision of the backend under test.
 *
 * @param value `FLOAT32` or `FLOAT16`.
 */
export function setPrecision(value: Precision): void {
  current = value;
}
