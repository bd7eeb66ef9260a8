import * as tf from '@tensorflow/tfjs-core';
import type { AdamWEntry, AdamWStep } from './adam_w_step.js';

/** Most that storing a number as a 16-bit float changes it: half a unit in the last place, or of the subnormals. */
const ROUNDING = 2 ** -11;
const SMALLEST = 2 ** -25;

/** Weights as the last step left them, in float32: what a variable itself cannot hold. */
const exactWeights = new WeakMap<tf.Variable, Float32Array>();

/**
 * One step of AdamW in float32 on the host, for backends that store 16-bit floats. There v, made of squares of
 * gradients, and ε = 1e-8 are 0, and m/(√v + ε) is NaN; and a weight of 1 would swallow every change below 5e-4. As in
 * training with mixed precision elsewhere, float32 weights are kept beside the stored ones, and the moments in float32.
 *
 * It reads every gradient and weight back. The moments stay on the host by themselves: TensorFlow.js moves values into
 * a texture when a kernel first needs them, and none does. A weight that somebody else has assigned to in between is
 * taken as it is.
 *
 * @param entries Weights, moments and gradients, as for `adamWUpdate`.
 * @param step Numbers of the step.
 */
export function adamWOnHost(entries: readonly AdamWEntry[], step: AdamWStep): void {
  const { beta1, beta2, rate, epsilon } = step;
  const scale = step.scale?.dataSync()[0] ?? 1;
  for (const { weight, first, second, gradient, keep } of entries) {
    const p = exactValues(weight);
    const g = gradient.dataSync<'float32'>();
    const m = Float32Array.from(first.dataSync<'float32'>());
    const v = Float32Array.from(second.dataSync<'float32'>());
    for (let i = 0; i < p.length; i++) {
      const gradient = g[i] * scale;
      m[i] = beta1 * m[i] + (1 - beta1) * gradient;
      v[i] = beta2 * v[i] + (1 - beta2) * gradient * gradient;
      p[i] = keep * p[i] - (rate * m[i]) / (Math.sqrt(v[i]) + epsilon);
    }
    exactWeights.set(weight, p);
    weight.assign(tf.tensor(Float32Array.from(p), weight.shape));
    first.assign(tf.tensor(m, weight.shape));
    second.assign(tf.tensor(v, weight.shape));
  }
}

/** The float32 weights, where the stored ones are those, rounded. */
function exactValues(weight: tf.Variable): Float32Array {
  const stored = weight.dataSync<'float32'>();
  const exact = exactWeights.get(weight);
  return stored.map((x, i) =>
    exact && Math.abs(exact[i] - x) <= ROUNDING * Math.abs(x) + SMALLEST ? exact[i] : x,
  );
}
