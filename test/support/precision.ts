/** What the backend under test can be held to: the one place that widens the tolerances of the tests. */

/** Least tolerances of a number format. */
export interface Precision {
  /** Least absolute and relative tolerance of a comparison with numbers from elsewhere. */
  atol: number;
  rtol: number;
  /** Least step and tolerance of finite differences. */
  step: number;
  slope: number;
}

/** float32: each test's own tolerance holds. */
export const FLOAT32: Precision = { atol: 0, rtol: 0, step: 0, slope: 0 };

/**
 * 16-bit floats have a significand of 11 bits: one rounding is at most 2⁻¹¹ = 4.9e-4 of a number, and every operation
 * in a chain rounds. Differences over a step h are off by about rounding/h, so the step is long and the slope coarse.
 */
export const FLOAT16: Precision = { atol: 2e-2, rtol: 2e-2, step: 0.25, slope: 0.1 };

let current = FLOAT32;

/** The precision that `expectClose` and `checkDirectional` allow for. */
export function precision(): Precision {
  return current;
}

/**
 * Sets the precision of the backend under test.
 *
 * @param value `FLOAT32` or `FLOAT16`.
 */
export function setPrecision(value: Precision): void {
  current = value;
}
