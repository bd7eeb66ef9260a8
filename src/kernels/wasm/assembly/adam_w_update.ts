import { madd } from './simd';

/**
 * One step of one weight, in one pass over its four tensors:
 *
 *     m ← β₁·m + gain₁·s·g        v ← β₂·v + gain₂·s²·g²        p ← keep·p − rate·m/(√v + ε)
 *
 * Each output may be where its input is.
 *
 * @param weight p, [count]
 * @param first m, [count]
 * @param second v, [count]
 * @param gradient g, [count]
 * @param newWeight [count]
 * @param newFirst [count]
 * @param newSecond [count]
 * @param count How many.
 * @param scale Where s is, or 0 for 1.
 * @param beta1 β₁
 * @param beta2 β₂
 * @param gain1 1 − β₁
 * @param gain2 1 − β₂
 * @param rate Learning rate, corrections of the moments included.
 * @param epsilon ε, with the correction of v.
 * @param keep What is left of a weight after its decay.
 */
export function adamWUpdate(
  weight: usize,
  first: usize,
  second: usize,
  gradient: usize,
  newWeight: usize,
  newFirst: usize,
  newSecond: usize,
  count: u32,
  scale: usize,
  beta1: f32,
  beta2: f32,
  gain1: f32,
  gain2: f32,
  rate: f32,
  epsilon: f32,
  keep: f32,
): void {
  const bytes = (<usize>count) << 2;
  const whole = bytes & ~15;
  if (scale) {
    const s = load<f32>(scale);
    gain1 *= s;
    gain2 *= s * s;
  }
  const beta1s = f32x4.splat(beta1);
  const beta2s = f32x4.splat(beta2);
  const gain1s = f32x4.splat(gain1);
  const gain2s = f32x4.splat(gain2);
  const rates = f32x4.splat(rate);
  const epsilons = f32x4.splat(epsilon);
  const keeps = f32x4.splat(keep);
  let i: usize = 0;
  for (; i < whole; i += 16) {
    const g = v128.load(gradient + i);
    const m = madd(g, gain1s, f32x4.mul(v128.load(first + i), beta1s));
    const v = madd(f32x4.mul(g, g), gain2s, f32x4.mul(v128.load(second + i), beta2s));
    const change = f32x4.div(f32x4.mul(m, rates), f32x4.add(f32x4.sqrt(v), epsilons));
    const p = f32x4.sub(f32x4.mul(v128.load(weight + i), keeps), change);
    v128.store(newFirst + i, m);
    v128.store(newSecond + i, v);
    v128.store(newWeight + i, p);
  }
  for (; i < bytes; i += 4) {
    const g = load<f32>(gradient + i);
    const m = load<f32>(first + i) * beta1 + g * gain1;
    const v = load<f32>(second + i) * beta2 + g * g * gain2;
    const change = (m * rate) / (sqrt<f32>(v) + epsilon);
    store<f32>(newFirst + i, m);
    store<f32>(newSecond + i, v);
    store<f32>(newWeight + i, load<f32>(weight + i) * keep - change);
  }
}
