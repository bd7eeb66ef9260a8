import { madd, sum } from './simd';
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
    let squares = f32x4.splat(0);
    for (let i: usize = 0; i < whole; i += 16) {
      const v = v128.load(x + i);
      squares = madd(v, v, squares);
    }
    let total = sum(squares);
    for (let i = whole; i < bytes; i += 4) total += load<f32>(x + i) * load<f32>(x + i);
    const r: f32 = 1 / Mathf.sqrt(total / <f32>size + epsilon);
    store<f32>(inverse + ((<usize>row) << 2), r);
    for (let i: usize = 0; i < bytes; i += 4)
      store<f32>(y + i, load<f32>(x + i) * r * load<f32>(scale + i));
    x += bytes;
    y += bytes;
  }
}
