import * as tf from '@tensorflow/tfjs-core';
import { assert, assertInteger, assertKnownOptions } from '../util/errors.js';
import { assertFloatTensor } from '../util/float_tensor.js';
import { shapeText } from '../util/shapes.js';
import { dispatch } from './dispatch.js';
import { rotaryFrequencies, rotaryTable, type RotaryOptions } from './rotary_table.js';

export type { RotaryOptions } from './rotary_table.js';

const OPTIONS = [
  'positions',
  'offset',
  'maxWavelength',
  'scalingFactor',
  'rotaryDim',
  'inverseFrequencies',
  'attentionFactor',
];

/**
 * Rotary position embedding in the rotate-half layout (Su et al. 2021; GPT-NeoX, Llama, keras-hub
 * `RotaryEmbedding`): feature i < R/2 and feature i + R/2 are the two coordinates of a point that is turned by
 *
 *     angle = position · maxWavelength^(−2i/R) / scalingFactor            R = rotaryDim
 *     out = x·cos(angle) + rotateHalf(x)·sin(angle)                       rotateHalf([x1, x2]) = [−x2, x1]
 *
 * so the product of a query and a key depends only on the difference of their positions. Angles are float32. The
 * gradient turns by the negative angle.
 *
 * @param x [B, T, N, H] or [B, T, H], float32.
 * @param options {@link RotaryOptions}
 * @returns Shape of x; differentiable in x, not in the positions.
 * @throws Error when rotaryDim is odd or larger than H, or positions have another shape.
 */
export function rotary(x: tf.Tensor, options: RotaryOptions = {}): tf.Tensor {
  assertFloatTensor('rotary', 'x', x);
  assertKnownOptions('rotary', options, OPTIONS);
  assert(
    x.rank === 3 || x.rank === 4,
    () => `rotary: x must have shape [B,T,N,H] or [B,T,H], got shape=${shapeText(x.shape)}.`,
  );
  const H = x.shape[x.rank - 1];
  const rotaryDim = assertInteger('rotary', 'rotaryDim', options.rotaryDim ?? H, 2, H);
  assert(
    rotaryDim % 2 === 0,
    () => `rotary: rotaryDim must be even, got rotaryDim=${rotaryDim} for x ${shapeText(x.shape)}.`,
  );
  const frequencies = rotaryFrequencies(rotaryDim, options);
  return tf.tidy(() => {
    const [cos, sin] = rotaryTable(x.shape, frequencies, options);
    return dispatch({
      kernel: 'TransformersRotary',
      inputs: { x, cos, sin },
      differentiable: ['x'],
      gradientInputs: ['cos', 'sin'],
      attrs: { rotaryDim },
      reference: () => reference(x, cos, sin),
    });
  });
}

/** [x1, x2, rest] → [x1·cos − x2·sin, x2·cos + x1·sin, rest]. */
function rotate(x: tf.Tensor, cos: tf.Tensor, sin: tf.Tensor): tf.Tensor {
  const half = cos.shape[cos.rank - 1];
  const rest = x.shape[x.rank - 1] - 2 * half;
  const [x1, x2, ...unrotated] = tf.split(x, rest > 0 ? [half, half, rest] : [half, half], -1);
  const first = tf.sub(tf.mul(x1, cos), tf.mul(x2, sin));
  const second = tf.add(tf.mul(x2, cos), tf.mul(x1, sin));
  return tf.concat([first, second, ...unrotated], -1);
}

function reference(x: tf.Tensor, cos: tf.Tensor, sin: tf.Tensor): tf.Tensor {
  const gradFunc = (dy: tf.Tensor, [cos, sin]: tf.Tensor[]): tf.Tensor =>
    rotate(dy, cos, tf.neg(sin));
  return tf.customGrad((x, save) => {
    (save as tf.GradSaveFunc)([cos, sin]);
    return { value: rotate(x as tf.Tensor, cos, sin), gradFunc };
  })(x);
}
