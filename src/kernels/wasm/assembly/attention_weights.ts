/** Exponentials of attention, four rows at a time, straight into the order in which the products read them. */
import { expNegative } from './exp';
import { sum } from './simd';

/** What a row of a tile is weighed with, each number in all four lanes: 48 bytes a row. */
export const WEIGHING_BYTES: usize = 48;

/**
 * Notes what a row is weighed with.
 *
 * @param to `WEIGHING_BYTES` bytes.
 * @param shift Largest score.
 * @param inverse 1/Σ exp(score − shift)
 * @param delta Σ dO·O
 */
export function setWeighing(to: usize, shift: f32, inverse: f32, delta: f32): void {
  v128.store(to, f32x4.splat(shift));
  v128.store(to, f32x4.splat(inverse), 16);
  v128.store(to, f32x4.splat(delta), 32);
}

/** Stores the transpose of four vectors. */
// @inline
function storeTransposed(to: usize, x0: v128, x1: v128, x2: v128, x3: v128): void {
  const a = v128.shuffle<i32>(x0, x1, 0, 4, 1, 5);
  const b = v128.shuffle<i32>(x2, x3, 0, 4, 1, 5);
  const c = v128.shuffle<i32>(x0, x1, 2, 6, 3, 7);
  const d = v128.shuffle<i32>(x2, x3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<i64>(a, b, 0, 2));
  v128.store(to, v128.shuffle<i64>(a, b, 1, 3), 16);
  v128.store(to, v128.shuffle<i64>(c, d, 0, 2), 32);
  v128.store(to, v128.shuffle<i64>(c, d, 1, 3), 48);
}

/**
 * Weights exp(score − shift) of four rows as the left operand of a product, [column][4].
 *
 * @param scores First column of row 0.
 * @param step Bytes from row to row.
 * @param columns How many, a multiple of 4.
 * @param weighings Four of `setWeighing`; only the shifts are read.
 * @param multipliers What the weights are multiplied by, rows as those of the scores; 0 for nothing.
 * @param to Gets 4·columns numbers.
 * @param totals Gets the sum of each row, before it is multiplied.
 */
export function weighFour(
  scores: usize,
  step: usize,
  columns: i32,
  weighings: usize,
  multipliers: usize,
  to: usize,
  totals: usize,
): void {
  const m0 = v128.load(weighings);
  const m1 = v128.load(weighings + WEIGHING_BYTES);
  const m2 = v128.load(weighings + 2 * WEIGHING_BYTES);
  const m3 = v128.load(weighings + 3 * WEIGHING_BYTES);
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let p = scores;
  let z = multipliers;
  const step2 = 2 * step;
  const step3 = 3 * step;
  for (; columns > 0; columns -= 4) {
    let x0 = expNegative(f32x4.sub(v128.load(p), m0));
    let x1 = expNegative(f32x4.sub(v128.load(p + step), m1));
    let x2 = expNegative(f32x4.sub(v128.load(p + step2), m2));
    let x3 = expNegative(f32x4.sub(v128.load(p + step3), m3));
    s0 = f32x4.add(s0, x0);
    s1 = f32x4.add(s1, x1);
    s2 = f32x4.add(s2, x2);
    s3 = f32x4.add(s3, x3);
    if (multipliers) {
      x0 = f32x4.mul(x0, v128.load(z));
      x1 = f32x4.mul(x1, v128.load(z + step));
      x2 = f32x4.mul(x2, v128.load(z + step2));
      x3 = f32x4.mul(x3, v128.load(z + step3));
      z += 16;
    }
    storeTransposed(to, x0, x1, x2, x3);
    p += 16;
    to += 64;
  }
  store<f32>(totals, sum(s0));
  store<f32>(totals, sum(s1), 4);
  store<f32>(totals, sum(s2), 8);
  store<f32>(totals, sum(s3), 12);
}

/** Weights of four columns of a row. */
// @inline
function weightsOf(score: usize, weighing: usize): v128 {
  const x = expNegative(f32x4.sub(v128.load(score), v128.load(weighing)));
  return f32x4.mul(x, v128.load(weighing, 16));
}

/** w·(d − δ), and 0 where w is: there dO·v may have overflowed, and 0·∞ is NaN. */
// @inline
function gradientOf(w: v128, d: v128, weighing: usize): v128 {
  const g = f32x4.mul(w, f32x4.sub(d, v128.load(weighing, 32)));
  return v128.and(g, f32x4.ne(w, f32x4.splat(0)));
}

/** g·slope, and 0 where g is: the slope of a hidden score may be NaN. */
// @inline
function sloped(g: v128, slope: usize): v128 {
  return v128.and(f32x4.mul(g, v128.load(slope)), f32x4.ne(g, f32x4.splat(0)));
}

/**
 * Weights of four rows and gradients of their scores.
 *
 * @param scores First column of row 0; rows are `step` bytes apart here, and in the next three.
 * @param products Products dO·v; replaced by the gradients of the biased scores where `keep`.
 * @param multipliers Of dropout; 0 for none.
 * @param slopes Of the soft cap; 0 for none.
 * @param step Bytes from row to row.
 * @param columns How many, a multiple of 4.
 * @param weighings Four of `setWeighing`.
 * @param keep Whether the gradients of the biased scores are wanted.
 * @param weights Gets the weights of the values, [four columns][row][4].
 * @param dScores Gets the gradients of the scores, [four columns][row][4].
 * @param quad Bytes from four columns to the next four of these.
 * @param left Gets the gradients again as the left operand of a product, [column][4], times `scale`.
 * @param scale Factor.
 */
export function gradientsOfFour(
  scores: usize,
  products: usize,
  multipliers: usize,
  slopes: usize,
  step: usize,
  columns: i32,
  weighings: usize,
  keep: bool,
  weights: usize,
  dScores: usize,
  quad: usize,
  left: usize,
  scale: f32,
): void {
  const weighing1 = weighings + WEIGHING_BYTES;
  const weighing2 = weighings + 2 * WEIGHING_BYTES;
  const weighing3 = weighings + 3 * WEIGHING_BYTES;
  const step2 = 2 * step;
  const step3 = 3 * step;
  const factor = f32x4.splat(scale);
  for (; columns > 0; columns -= 4) {
    let w0 = weightsOf(scores, weighings);
    let w1 = weightsOf(scores + step, weighing1);
    let w2 = weightsOf(scores + step2, weighing2);
    let w3 = weightsOf(scores + step3, weighing3);
    let g0 = v128.load(products);
    let g1 = v128.load(products + step);
    let g2 = v128.load(products + step2);
    let g3 = v128.load(products + step3);
    if (multipliers) {
      g0 = f32x4.mul(g0, v128.load(multipliers));
      g1 = f32x4.mul(g1, v128.load(multipliers + step));
      g2 = f32x4.mul(g2, v128.load(multipliers + step2));
      g3 = f32x4.mul(g3, v128.load(multipliers + step3));
    }
    g0 = gradientOf(w0, g0, weighings);
    g1 = gradientOf(w1, g1, weighing1);
    g2 = gradientOf(w2, g2, weighing2);
    g3 = gradientOf(w3, g3, weighing3);
    if (multipliers) {
      w0 = f32x4.mul(w0, v128.load(multipliers));
      w1 = f32x4.mul(w1, v128.load(multipliers + step));
      w2 = f32x4.mul(w2, v128.load(multipliers + step2));
      w3 = f32x4.mul(w3, v128.load(multipliers + step3));
      multipliers += 16;
    }
    v128.store(weights, w0);
    v128.store(weights, w1, 16);
    v128.store(weights, w2, 32);
    v128.store(weights, w3, 48);
    if (keep) {
      v128.store(products, g0);
      v128.store(products + step, g1);
      v128.store(products + step2, g2);
      v128.store(products + step3, g3);
    }
    if (slopes) {
      g0 = sloped(g0, slopes);
      g1 = sloped(g1, slopes + step);
      g2 = sloped(g2, slopes + step2);
      g3 = sloped(g3, slopes + step3);
      slopes += 16;
    }
    v128.store(dScores, g0);
    v128.store(dScores, g1, 16);
    v128.store(dScores, g2, 32);
    v128.store(dScores, g3, 48);
    storeTransposed(
      left,
      f32x4.mul(g0, factor),
      f32x4.mul(g1, factor),
      f32x4.mul(g2, factor),
      f32x4.mul(g3, factor),
    );
    scores += 16;
    products += 16;
    weights += quad;
    dScores += quad;
    left += 64;
  }
}
