/** Gradients against finite differences along a random direction, one input at a time. */
import * as tf from '@tensorflow/tfjs';
import { normal } from '../../src/util/random.js';
import { asStored, precision } from './precision.js';

/** How to compare; see {@link checkDirectional}. */
export interface DirectionalOptions {
  /** Length of the step, 1e-2 by default: rounding costs about 1e-7/step, the cut-off about step². */
  step?: number;
  /** Largest difference allowed, relative to the larger of 1 and the slope; 2e-3 by default. */
  tolerance?: number;
  seed?: number;
}

/**
 * Asserts that the tape's gradient of L = Σ fn(inputs)·r, r random, has the slope of L along random directions.
 *
 * @param fn Any function of float32 tensors to a tensor.
 * @param inputs Where to check; each is checked on its own.
 * @param options {@link DirectionalOptions}
 */
export function checkDirectional(
  fn: (...inputs: tf.Tensor[]) => tf.Tensor,
  inputs: tf.Tensor[],
  options: DirectionalOptions = {},
): void {
  const { seed = 17 } = options;
  const step = Math.max(options.step ?? 1e-2, precision().step);
  const tolerance = Math.max(options.tolerance ?? 2e-3, precision().slope);
  tf.tidy(() => {
    const output = fn(...inputs);
    const weights = normal(seed, 0, output.size);
    const loss = (at: tf.Tensor[]): number => {
      const values = tf.tidy(() => fn(...at).dataSync<'float32'>());
      return values.reduce((sum, value, i) => sum + value * weights[i], 0); // in double precision
    };
    const dy = tf.tensor(weights, output.shape);
    const gradients = tf.grads((...at: tf.Tensor[]) => fn(...at))(inputs, dy);
    inputs.forEach((input, i) => {
      if (gradients[i].shape.join() !== input.shape.join()) {
        throw new Error(`input ${i}: gradient [${gradients[i].shape}] for [${input.shape}].`);
      }
      for (let direction = 0; direction < 3; direction++) {
        const v = normal(seed + 1 + i, direction, input.size);
        const length = Math.hypot(...v);
        const moved = (sign: number): tf.Tensor[] =>
          inputs.map((other, j) =>
            i === j
              ? tf.add(
                  other,
                  tf.tensor(
                    v.map((x) => (sign * step * x) / length),
                    input.shape,
                  ),
                )
              : other,
          );
        const slope = (loss(moved(1)) - loss(moved(-1))) / (2 * step);
        const values = gradients[i].dataSync<'float32'>();
        const claimed = values.reduce((sum, value, k) => sum + (value * v[k]) / length, 0);
        if (!(Math.abs(slope - claimed) <= tolerance * Math.max(1, Math.abs(slope)))) {
          throw new Error(`input ${i}: the gradient says ${claimed}, differences say ${slope}.`);
        }
      }
    });
  });
}

/**
 * A tensor of normal numbers that is the same on every backend, up to what the backend can store.
 *
 * @param shape Its shape.
 * @param seed Integer.
 * @param scale Standard deviation.
 */
export function randomTensor(shape: number[], seed: number, scale = 1): tf.Tensor {
  const size = shape.reduce((product, n) => product * n, 1);
  return tf.tensor(
    normal(seed, 0, size).map((x) => asStored(x * scale)),
    shape,
  );
}
