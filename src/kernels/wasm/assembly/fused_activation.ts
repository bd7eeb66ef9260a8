/** The activations that TensorFlow.js fuses with a matrix product, in place. NaN stays NaN in all of them. */
import { exp } from './exp';
import { loadFirst, storeFirst } from './partial';
import { sigmoid } from './sigmoid';

/** The same numbers as in ../accelerate.ts. */
const RELU: i32 = 1;
const RELU6: i32 = 2;
const LEAKY_RELU: i32 = 3;
const PRELU: i32 = 4;
const ELU: i32 = 5;

/**
 * x = f(x).
 *
 * @param x [rows, columns].
 * @param activation 1 relu, 2 relu6, 3 leaky relu, 4 prelu, 5 elu, 6 sigmoid.
 * @param alpha Slope of the leaky relu below 0.
 * @param slopes [columns], those of the prelu.
 */
export function activate(
  x: usize,
  rows: i32,
  columns: i32,
  activation: i32,
  alpha: f32,
  slopes: usize,
): void {
  const whole = (<usize>(columns & ~3)) << 2;
  const rest = columns & 3;
  for (; rows > 0; rows--) {
    for (let i: usize = 0; i != whole; i += 16) {
      const slope = activation == PRELU ? v128.load(slopes + i) : f32x4.splat(alpha);
      v128.store(x + i, activated(v128.load(x + i), activation, slope));
    }
    x += whole;
    if (rest) {
      const slope = activation == PRELU ? loadFirst(slopes + whole, rest) : f32x4.splat(alpha);
      storeFirst(x, activated(loadFirst(x, rest), activation, slope), rest);
      x += (<usize>rest) << 2;
    }
  }
}

function activated(x: v128, activation: i32, slope: v128): v128 {
  const zero = f32x4.splat(0);
  if (activation == RELU) return f32x4.max(x, zero);
  if (activation == RELU6) return f32x4.min(f32x4.max(x, zero), f32x4.splat(6));
  const negative = f32x4.lt(x, zero);
  if (activation == LEAKY_RELU || activation == PRELU)
    return v128.bitselect(f32x4.mul(x, slope), x, negative);
  if (activation == ELU) return v128.bitselect(f32x4.sub(exp(x), f32x4.splat(1)), x, negative);
  return sigmoid(x);
}
