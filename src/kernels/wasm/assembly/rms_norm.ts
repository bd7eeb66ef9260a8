import { GROUP, moveSums } from './row_sums';
import { madd, sum } from './simd';

/**
 * y = x·r·scale for each row, r = 1/√(mean(x²) + ε).
 *
 * @param x [rows, size]
 * @param scale [size], or 0 for none.
 * @param y [rows, size]
 * @param inverse [rows]: r, for the gradient.
 * @param rows Number of rows.
 * @param size Elements a row.
 * @param epsilon ε
 */
export function rmsNorm(
  x: usize,
  scale: usize,
  y: usize,
  inverse: usize,
  rows: i32,
  size: i32,
  epsilon: f32,
): void {
  const bytes = (<usize>size) << 2;
  const whole = bytes & ~15;
  for (let row = 0; row < rows; row++) {
    let a = f32x4.splat(0);
    let b = a;
    let i: usize = 0;
    for (const twos = bytes & ~31; i < twos; i += 32) {
      const v = v128.load(x + i);
      const w = v128.load(x + i, 16);
      a = madd(v, v, a);
      b = madd(w, w, b);
    }
    if (i < whole) {
      const v = v128.load(x + i);
      a = madd(v, v, a);
    }
    let square = sum(f32x4.add(a, b));
    for (i = whole; i < bytes; i += 4) square += load<f32>(x + i) * load<f32>(x + i);
    const r: f32 = 1 / sqrt<f32>(square / <f32>size + epsilon);
    store<f32>(inverse, r);
    const rs = f32x4.splat(r);
    for (i = 0; i < whole; i += 16) {
      let v = f32x4.mul(v128.load(x + i), rs);
      if (scale) v = f32x4.mul(v, v128.load(scale + i));
      v128.store(y + i, v);
    }
    for (; i < bytes; i += 4) {
      let v = load<f32>(x + i) * r;
      if (scale) v *= load<f32>(scale + i);
      store<f32>(y + i, v);
    }
    x += bytes;
    y += bytes;
    inverse += 4;
  }
}

/**
 * With x̂ = x·r and g = dy·scale: dx = r·(g − x̂·mean(g·x̂)) and dscale = Σ dy·x̂ over the rows, in one pass over them.
 *
 * @param x [rows, size]
 * @param scale [size], or 0 for none.
 * @param dy [rows, size]
 * @param inverse [rows], what `rmsNorm` left.
 * @param dx [rows, size]
 * @param dscale [size], or 0 for none.
 * @param scratch [size]
 * @param rows Number of rows.
 * @param size Elements a row.
 */
export function rmsNormGrad(
  x: usize,
  scale: usize,
  dy: usize,
  inverse: usize,
  dx: usize,
  dscale: usize,
  scratch: usize,
  rows: i32,
  size: i32,
): void {
  const bytes = (<usize>size) << 2;
  const whole = bytes & ~15;
  if (dscale) {
    memory.fill(scratch, 0, bytes);
    memory.fill(dscale, 0, bytes);
  }
  for (let row = 0; row < rows; row++) {
    const r = load<f32>(inverse);
    const rs = f32x4.splat(r);
    let products = f32x4.splat(0);
    for (let i: usize = 0; i < whole; i += 16) {
      const normal = f32x4.mul(v128.load(x + i), rs);
      let g = v128.load(dy + i);
      if (dscale) v128.store(scratch + i, madd(g, normal, v128.load(scratch + i)));
      if (scale) g = f32x4.mul(g, v128.load(scale + i));
      products = madd(g, normal, products);
    }
    let slope = sum(products);
    for (let i = whole; i < bytes; i += 4) {
      const normal = load<f32>(x + i) * r;
      let g = load<f32>(dy + i);
      if (dscale) store<f32>(scratch + i, load<f32>(scratch + i) + g * normal);
      if (scale) g *= load<f32>(scale + i);
      slope += g * normal;
    }
    slope /= <f32>size;
    const slopes = f32x4.splat(slope);
    for (let i: usize = 0; i < whole; i += 16) {
      const normal = f32x4.mul(v128.load(x + i), rs);
      let g = v128.load(dy + i);
      if (scale) g = f32x4.mul(g, v128.load(scale + i));
      v128.store(dx + i, f32x4.mul(f32x4.sub(g, f32x4.mul(normal, slopes)), rs));
    }
    for (let i = whole; i < bytes; i += 4) {
      const normal = load<f32>(x + i) * r;
      let g = load<f32>(dy + i);
      if (scale) g *= load<f32>(scale + i);
      store<f32>(dx + i, (g - normal * slope) * r);
    }
    if (dscale && ((row & (GROUP - 1)) == GROUP - 1 || row == rows - 1))
      moveSums(scratch, dscale, bytes);
    x += bytes;
    dy += bytes;
    dx += bytes;
    inverse += 4;
  }
}
