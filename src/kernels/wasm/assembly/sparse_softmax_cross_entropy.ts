import { expNegative } from './exp';
import { log } from './log';
import { loadFirst, storeFirst } from './partial';
import { madd } from './simd';
import { expSum, rowMax } from './softmax';

/** The mean of `size` numbers, added up in float64. */
function mean(x: usize, size: i32): f64 {
  let a = f64x2.splat(0);
  let b = a;
  for (let i = size >> 2; i > 0; i--) {
    const v = v128.load(x);
    a = f64x2.add(a, f64x2.promote_low_f32x4(v));
    b = f64x2.add(b, f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 2, 3)));
    x += 16;
  }
  a = f64x2.add(a, b);
  let total = f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
  for (let i = size & 3; i > 0; i--) {
    total += <f64>load<f32>(x);
    x += 4;
  }
  return total / <f64>size;
}

/**
 * Loss of each row: (1 − ε)·(log Σ e^x − x[label]) + ε·(log Σ e^x − mean x); 0 where the label is `ignoreIndex`; NaN
 * where it is no index of the row, which is read nowhere then.
 *
 * @param logits [rows, size] float32.
 * @param labels [rows] int32.
 * @param losses [rows] float32, written.
 * @param statistics [rows, 2] float32, written: max x and 1 / Σ e^(x − max), all that the gradient needs. (One number,
 *   the logarithm of the sum, would carry an error of 3e-5 into the gradient where logits are near 1,000.)
 */
export function sparseSoftmaxCrossEntropy(
  logits: usize,
  labels: usize,
  losses: usize,
  statistics: usize,
  rows: i32,
  size: i32,
  ignoreIndex: i32,
  smoothing: f64,
): void {
  for (; rows > 0; rows--) {
    const label = load<i32>(labels);
    let loss: f64 = 0;
    let max: f32 = 0;
    let inverse: f64 = 0;
    if (label != ignoreIndex) {
      max = rowMax(logits, size);
      const total = expSum(logits, 0, size, max);
      inverse = 1 / total;
      if (<u32>label < <u32>size) {
        const logSum = log(total) + <f64>max;
        loss = logSum - <f64>load<f32>(logits + ((<usize>label) << 2));
        if (smoothing > 0) loss += smoothing * (logSum - mean(logits, size) - loss);
      } else loss = NaN;
    }
    store<f32>(losses, <f32>loss);
    store<f32>(statistics, max);
    store<f32>(statistics, <f32>inverse, 4);
    logits += (<usize>size) << 2;
    labels += 4;
    losses += 4;
    statistics += 8;
  }
}

/**
 * Gradient of each row in one pass: dy · (softmax(x) − target), target being 1 − ε on the label plus ε/size everywhere;
 * 0 in rows to ignore, NaN in rows whose label is no index.
 *
 * @param dy [rows] float32.
 * @param statistics What {@link sparseSoftmaxCrossEntropy} wrote.
 * @param dLogits [rows, size] float32, written.
 */
export function sparseSoftmaxCrossEntropyGrad(
  dy: usize,
  logits: usize,
  labels: usize,
  statistics: usize,
  dLogits: usize,
  rows: i32,
  size: i32,
  ignoreIndex: i32,
  smoothing: f64,
): void {
  const bytes = (<usize>size) << 2;
  const whole = bytes & ~15;
  const rest = size & 3;
  for (; rows > 0; rows--) {
    const label = load<i32>(labels);
    if (label == ignoreIndex) memory.fill(dLogits, 0, bytes);
    else {
      const known = <u32>label < <u32>size;
      const weight: f64 = known ? <f64>load<f32>(dy) : NaN;
      const max = f32x4.splat(load<f32>(statistics));
      const factor = f32x4.splat(<f32>(<f64>load<f32>(statistics, 4) * weight));
      const uniform = f32x4.splat(<f32>((-smoothing / <f64>size) * weight));
      for (let i: usize = 0; i < whole; i += 16) {
        const e = expNegative(f32x4.sub(v128.load(logits + i), max));
        v128.store(dLogits + i, madd(e, factor, uniform));
      }
      if (rest) {
        const e = expNegative(f32x4.sub(loadFirst(logits + whole, rest), max));
        storeFirst(dLogits + whole, madd(e, factor, uniform), rest);
      }
      if (known) {
        const at = dLogits + ((<usize>label) << 2);
        store<f32>(at, load<f32>(at) - <f32>((1 - smoothing) * weight));
      }
    }
    dy += 4;
    logits += bytes;
    labels += 4;
    statistics += 8;
    dLogits += bytes;
  }
}
