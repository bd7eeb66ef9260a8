/**
 * GELU in both forms. Written as x·Φ with Φ in [0, 1], so that nothing overflows:
 *
 *     exact   Φ(x) = (1 + erf(x/√2)) / 2
 *     tanh    Φ(x) = (1 + tanh u) / 2 = sigmoid(2u),  u = √(2/π)·(x + 0.044715·x³)
 *
 * The sigmoid is the same number as the tanh, and 17 times faster on the wasm backend (XNNPACK vectorises it).
 * Where x multiplies Φ or its slope it is clipped at ±20, beyond which both are constant in float32: so that
 * −Infinity gives 0, not −Infinity·0. Φ sees the unclipped x, so NaN stays NaN.
 */
import * as tf from '@tensorflow/tfjs-core';
import { assert, assertKnownOptions, describe } from '../util/errors.js';
import { assertFloatTensor } from '../util/float_tensor.js';
import { storesHalfFloats } from '../util/half_floats.js';
import { dispatch } from './dispatch.js';

const CLIP = 20;
const TANH_SCALE = 2 * Math.sqrt(2 / Math.PI);
const TANH_CUBE = 0.044715;

/** Options of {@link gelu}. */
export interface GeluOptions {
  /** False or `'none'` (default): by the error function. True or `'tanh'`: the tanh approximation of GPT-2. */
  approximate?: boolean | 'none' | 'tanh';
}

/**
 * Gaussian error linear unit: x·Φ(x), Φ the normal distribution function (Hendrycks, Gimpel 2016).
 *
 * @param x Any shape, float32.
 * @param options {@link GeluOptions}
 * @returns Shape of x; differentiable. gelu(−∞) = 0, gelu(∞) = ∞, with slopes 0 and 1.
 */
export function gelu(x: tf.Tensor, options: GeluOptions = {}): tf.Tensor {
  assertFloatTensor('gelu', 'x', x);
  assertKnownOptions('gelu', options, ['approximate']);
  const { approximate = false } = options;
  assert(
    [true, false, 'none', 'tanh'].includes(approximate),
    () =>
      `gelu: approximate must be true, false, 'tanh' or 'none', got approximate=${describe(approximate)}.`,
  );
  const tanh = approximate === true || approximate === 'tanh';
  return dispatch({
    kernel: 'TransformersGelu',
    inputs: { x },
    differentiable: ['x'],
    attrs: { approximate: tanh },
    reference: () => reference(x, tanh ? [tanhPhi, tanhPhiSlope] : [exactPhi, exactPhiSlope]),
  });
}

/** x·Φ(x), with slope Φ(x) + x·Φ′(x). */
function reference(
  x: tf.Tensor,
  [phi, phiSlope]: [typeof exactPhi, typeof exactPhiSlope],
): tf.Tensor {
  const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor => {
    const [x, p] = saved;
    const clipped = tf.clipByValue(x, -CLIP, CLIP);
    return tf.mul(dy, tf.add(p, tf.mul(clipped, phiSlope(clipped, p))));
  };
  return tf.customGrad((x, save) => {
    // x³ is infinite in 16 bits from x = 41 on.
    const p = phi(
      storesHalfFloats() ? tf.clipByValue(x as tf.Tensor, -CLIP, CLIP) : (x as tf.Tensor),
    );
    (save as tf.GradSaveFunc)([x as tf.Tensor, p]);
    return { value: tf.mul(tf.maximum(x as tf.Tensor, -CLIP), p), gradFunc };
  })(x);
}

function exactPhi(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
}

/** Φ′(x) = exp(−x²/2)/√(2π). */
function exactPhiSlope(x: tf.Tensor, _p: tf.Tensor): tf.Tensor {
  return tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
}

function tanhPhi(x: tf.Tensor): tf.Tensor {
  const inner = tf.add(tf.mul(tf.square(x), TANH_SCALE * TANH_CUBE), TANH_SCALE);
  return tf.sigmoid(tf.mul(x, inner));
}

/** Φ′ = Φ·(1 − Φ)·2u′. */
function tanhPhiSlope(x: tf.Tensor, p: tf.Tensor): tf.Tensor {
  const inner = tf.add(tf.mul(tf.square(x), 3 * TANH_SCALE * TANH_CUBE), TANH_SCALE);
  return tf.mul(tf.mul(p, tf.sub(1, p)), inner);
}
