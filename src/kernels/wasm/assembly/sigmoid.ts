import { exp } from './exp';
import { loadFirst, storeFirst } from './partial';

/**
 * 1/(1 + e^−x) in each lane; 0 and 1 at ∓∞ (0 from −88.73 down), NaN stays NaN.
 *
 * At most 2.49 ulp off below 0 and 1.5 above, with and without fused multiply-add. e^x/(e^x + 1) below 0 was tried:
 * 2.36 ulp, for three more instructions.
 */
// @inline
export function sigmoid(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exp(f32x4.neg(x))));
}

/** y[i] = sigmoid x[i] for `size` numbers. */
export function sigmoidArray(x: usize, y: usize, size: i32): void {
  const end = x + ((<usize>(size >> 2)) << 4);
  while (x != end) {
    v128.store(y, sigmoid(v128.load(x)));
    x += 16;
    y += 16;
  }
  const rest = size & 3;
  if (rest) storeFirst(y, sigmoid(loadFirst(x, rest)), rest);
}
