import { GROUP, moveSums } from './row_sums';
import { madd, sum } from './simd';

/**
 * y = (x − μ)·r·γ + β for each row, r = 1/√(σ² + ε).
 *
 * The mean is taken twice. The first time rounds it to the precision of x, so that where |μ| is far above σ it is off
 * by a part of σ; x minus that first mean, the shift, is exact there, and the mean of what is left is the rest of μ.
 *
 * @param x [rows, size]
 * @param gamma [size], or 0 for none.
 * @param beta [size], or 0 for none.
 * @param y [rows, size]
 * @param statistics [rows, 3]: shift, r, and −(μ − shift)·r, so that x̂ = (x − shift)·r + statistics[2].
 * @param rows Number of rows.
 * @param size Elements a row.
 * @param epsilon ε
 */
export function layerNorm(
  x: usize,
  gamma: usize,
  beta: usize,
  y: usize,
  statistics: usize,
  rows: i32,
  size: i32,
  epsilon: f32,
): void {
  const bytes = (<usize>size) << 2;
  const whole = bytes & ~15;
  const share: f32 = 1 / <f32>size;
  for (let row = 0; row < rows; row++) {
    const shift = total(x, bytes) * share;
    const shifts = f32x4.splat(shift);
    let sums = f32x4.splat(0);
    let squares = f32x4.splat(0);
    for (let i: usize = 0; i < whole; i += 16) {
      const v = f32x4.sub(v128.load(x + i), shifts);
      sums = f32x4.add(sums, v);
      squares = madd(v, v, squares);
    }
    let rest = sum(sums);
    let square = sum(squares);
    for (let i = whole; i < bytes; i += 4) {
      const v = load<f32>(x + i) - shift;
      rest += v;
      square += v * v;
    }
    rest *= share;
    // Not below 0 by rounding; NaN stays NaN.
    const variance = max<f32>(square * share - rest * rest, 0);
    const r: f32 = 1 / sqrt<f32>(variance + epsilon);
    const offset = -rest * r;
    store<f32>(statistics, shift);
    store<f32>(statistics, r, 4);
    store<f32>(statistics, offset, 8);
    const rs = f32x4.splat(r);
    const offsets = f32x4.splat(offset);
    for (let i: usize = 0; i < whole; i += 16) {
      let v = madd(f32x4.sub(v128.load(x + i), shifts), rs, offsets);
      if (gamma) v = f32x4.mul(v, v128.load(gamma + i));
      if (beta) v = f32x4.add(v, v128.load(beta + i));
      v128.store(y + i, v);
    }
    for (let i = whole; i < bytes; i += 4) {
      let v = (load<f32>(x + i) - shift) * r + offset;
      if (gamma) v *= load<f32>(gamma + i);
      if (beta) v += load<f32>(beta + i);
      store<f32>(y + i, v);
    }
    x += bytes;
    y += bytes;
    statistics += 12;
  }
}

/**
 * With g = dy·γ: dx = r·(g − mean(g) − x̂·mean(g·x̂)), dγ = Σ dy·x̂ and dβ = Σ dy over the rows, in one pass over them.
 *
 * @param x [rows, size]
 * @param gamma [size], or 0 for none.
 * @param dy [rows, size]
 * @param statistics What `layerNorm` left.
 * @param dx [rows, size]
 * @param dgamma [size], or 0 for none.
 * @param dbeta [size], or 0 for none.
 * @param scratch [2, size]
 * @param rows Number of rows.
 * @param size Elements a row.
 */
export function layerNormGrad(
  x: usize,
  gamma: usize,
  dy: usize,
  statistics: usize,
  dx: usize,
  dgamma: usize,
  dbeta: usize,
  scratch: usize,
  rows: i32,
  size: i32,
): void {
  const bytes = (<usize>size) << 2;
  const whole = bytes & ~15;
  const share: f32 = 1 / <f32>size;
  const forGamma = scratch;
  const forBeta = scratch + bytes;
  memory.fill(scratch, 0, bytes << 1);
  if (dgamma) memory.fill(dgamma, 0, bytes);
  if (dbeta) memory.fill(dbeta, 0, bytes);
  for (let row = 0; row < rows; row++) {
    const shift = load<f32>(statistics);
    const r = load<f32>(statistics, 4);
    const offset = load<f32>(statistics, 8);
    const shifts = f32x4.splat(shift);
    const rs = f32x4.splat(r);
    const offsets = f32x4.splat(offset);
    let sums = f32x4.splat(0);
    let products = f32x4.splat(0);
    for (let i: usize = 0; i < whole; i += 16) {
      const normal = madd(f32x4.sub(v128.load(x + i), shifts), rs, offsets);
      let g = v128.load(dy + i);
      if (dgamma) v128.store(forGamma + i, madd(g, normal, v128.load(forGamma + i)));
      if (dbeta) v128.store(forBeta + i, f32x4.add(g, v128.load(forBeta + i)));
      if (gamma) g = f32x4.mul(g, v128.load(gamma + i));
      sums = f32x4.add(sums, g);
      products = madd(g, normal, products);
    }
    let mean = sum(sums);
    let slope = sum(products);
    for (let i = whole; i < bytes; i += 4) {
      const normal = (load<f32>(x + i) - shift) * r + offset;
      let g = load<f32>(dy + i);
      if (dgamma) store<f32>(forGamma + i, load<f32>(forGamma + i) + g * normal);
      if (dbeta) store<f32>(forBeta + i, load<f32>(forBeta + i) + g);
      if (gamma) g *= load<f32>(gamma + i);
      mean += g;
      slope += g * normal;
    }
    mean *= share;
    slope *= share;
    const means = f32x4.splat(mean);
    const slopes = f32x4.splat(slope);
    for (let i: usize = 0; i < whole; i += 16) {
      const normal = madd(f32x4.sub(v128.load(x + i), shifts), rs, offsets);
      let g = v128.load(dy + i);
      if (gamma) g = f32x4.mul(g, v128.load(gamma + i));
      const v = f32x4.sub(f32x4.sub(g, means), f32x4.mul(normal, slopes));
      v128.store(dx + i, f32x4.mul(v, rs));
    }
    for (let i = whole; i < bytes; i += 4) {
      const normal = (load<f32>(x + i) - shift) * r + offset;
      let g = load<f32>(dy + i);
      if (gamma) g *= load<f32>(gamma + i);
      store<f32>(dx + i, (g - mean - normal * slope) * r);
    }
    if ((row & (GROUP - 1)) == GROUP - 1 || row == rows - 1) {
      if (dgamma) moveSums(forGamma, dgamma, bytes);
      if (dbeta) moveSums(forBeta, dbeta, bytes);
    }
    x += bytes;
    dy += bytes;
    dx += bytes;
    statistics += 12;
  }
}

/** Sum of a row, in sixteen parts. */
// @inline
function total(x: usize, bytes: usize): f32 {
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  let i: usize = 0;
  for (const fours = bytes & ~63; i < fours; i += 64) {
    a = f32x4.add(a, v128.load(x + i));
    b = f32x4.add(b, v128.load(x + i, 16));
    c = f32x4.add(c, v128.load(x + i, 32));
    d = f32x4.add(d, v128.load(x + i, 48));
  }
  for (const whole = bytes & ~15; i < whole; i += 16) a = f32x4.add(a, v128.load(x + i));
  let result = sum(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  for (; i < bytes; i += 4) result += load<f32>(x + i);
  return result;
}
