import { copyBytes } from './copy_bytes';

/**
 * Turns features i and i + half of every head by the angle whose cosine and sine are given; features from 2·half on
 * are copied. With `sign` −1 it turns back, which is the gradient.
 *
 * @param x [batch, length, heads, size]
 * @param cos [1 or batch, length, half]
 * @param sin [1 or batch, length, half]
 * @param y [batch, length, heads, size]
 * @param batch B
 * @param length T
 * @param heads N
 * @param size H
 * @param half How many pairs are turned.
 * @param perRow 1 when each row has angles of its own, 0 when all share them.
 * @param sign 1 or −1.
 */
export function rotary(
  x: usize,
  cos: usize,
  sin: usize,
  y: usize,
  batch: i32,
  length: i32,
  heads: i32,
  size: i32,
  half: i32,
  perRow: i32,
  sign: f32,
): void {
  const bytes = (<usize>size) << 2;
  const turned = (<usize>half) << 2;
  const whole = turned & ~15;
  const rest = bytes - 2 * turned;
  const signs = f32x4.splat(sign);
  for (let b = 0; b < batch; b++) {
    let angle: usize = perRow ? <usize>b * <usize>length * turned : 0;
    for (let t = 0; t < length; t++) {
      const c = cos + angle;
      const s = sin + angle;
      for (let n = 0; n < heads; n++) {
        const x2 = x + turned;
        const y2 = y + turned;
        let i: usize = 0;
        for (; i < whole; i += 16) {
          const cs = v128.load(c + i);
          const ss = f32x4.mul(v128.load(s + i), signs);
          const first = v128.load(x + i);
          const second = v128.load(x2 + i);
          // Products and sums are rounded apart, as in the reference: turning back must undo turning.
          v128.store(y + i, f32x4.sub(f32x4.mul(first, cs), f32x4.mul(second, ss)));
          v128.store(y2 + i, f32x4.add(f32x4.mul(second, cs), f32x4.mul(first, ss)));
        }
        for (; i < turned; i += 4) {
          const ci = load<f32>(c + i);
          const si = load<f32>(s + i) * sign;
          const first = load<f32>(x + i);
          const second = load<f32>(x2 + i);
          store<f32>(y + i, first * ci - second * si);
          store<f32>(y2 + i, second * ci + first * si);
        }
        if (rest) copyBytes(x2 + turned, y2 + turned, rest);
        x += bytes;
        y += bytes;
      }
      angle += turned;
    }
  }
}
