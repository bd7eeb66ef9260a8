/**
 * The arithmetic of AdamW, one step of all weights. Not a function of tensors like the other operations: it assigns to
 * variables, so that a kernel can work in their memory.
 */
import * as tf from '@tensorflow/tfjs-core';
import { assert } from '../util/errors.js';
import { assertFloatTensor } from '../util/float_tensor.js';
import { storesHalfFloats } from '../util/half_floats.js';
import { shapeText } from '../util/shapes.js';
import { adamWOnHost } from './adam_w_on_host.js';
import type { AdamWEntry, AdamWStep } from './adam_w_step.js';
import { usesKernel } from './dispatch.js';

const KERNEL = 'TransformersAdamW';

/**
 * Makes one step of AdamW on every weight:
 *
 *     m ← β₁·m + (1 − β₁)·s·g        v ← β₂·v + (1 − β₂)·s²·g²        p ← keep·p − rate·m/(√v + epsilon)
 *
 * Where the backend stores 16-bit floats the step is made on the host, in float32 (`adam_w_on_host.ts`).
 *
 * @param entries Weights, moments and gradients. The variables are assigned to.
 * @param step Numbers of the step; the bias corrections are in `rate` and `epsilon`.
 * @throws Error when a gradient or a moment has another shape than its weight.
 */
export function adamWUpdate(entries: readonly AdamWEntry[], step: AdamWStep): void {
  for (const entry of entries) {
    for (const name of ['gradient', 'first', 'second'] as const) {
      const tensor = entry[name];
      assertFloatTensor('adamWUpdate', name, tensor);
      assert(
        tf.util.arraysEqual(tensor.shape, entry.weight.shape),
        () =>
          `adamWUpdate: ${name} must have the shape of its weight, ${shapeText(entry.weight.shape)}, ` +
          `got shape=${shapeText(tensor.shape)}.`,
      );
    }
  }
  const { scale, ...numbers } = step;
  const inputs: Record<string, tf.Tensor> = scale ? { scale } : {};
  entries.forEach(({ weight, first, second, gradient }, i) => {
    inputs[`weight${i}`] = weight;
    inputs[`first${i}`] = first;
    inputs[`second${i}`] = second;
    inputs[`gradient${i}`] = gradient;
  });
  const attrs = { ...numbers, keeps: entries.map(({ keep }) => keep) };
  if (!usesKernel(KERNEL, inputs, attrs)) {
    tf.tidy(() => (storesHalfFloats() ? adamWOnHost : reference)(entries, step));
    return;
  }
  tf.tidy(() => {
    const values: tf.Tensor[] = tf.engine().runKernel(KERNEL, inputs, attrs);
    entries.forEach(({ weight, first, second }, i) =>
      [weight, first, second].forEach((variable, j) => variable.assign(values[3 * i + j])),
    );
  });
}

function reference(entries: readonly AdamWEntry[], step: AdamWStep): void {
  const gain = (value: number, factor?: tf.Tensor): tf.Tensor =>
    factor ? tf.mul(factor, value) : tf.scalar(value);
  const gain1 = gain(1 - step.beta1, step.scale);
  const gain2 = gain(1 - step.beta2, step.scale && tf.square(step.scale));
  const [beta1, beta2] = [tf.scalar(step.beta1), tf.scalar(step.beta2)];
  const [rate, epsilon] = [tf.scalar(step.rate), tf.scalar(step.epsilon)];
  const decays = [...new Set(entries.map(({ keep }) => keep))].filter((keep) => keep !== 1);
  const keeps = new Map(decays.map((keep) => [keep, tf.scalar(keep)]));
  for (const { weight, first, second, gradient, keep } of entries) {
    tf.tidy(() => {
      const m = tf.add(tf.mul(first, beta1), tf.mul(gradient, gain1));
      const v = tf.add(tf.mul(second, beta2), tf.mul(tf.square(gradient), gain2));
      const change = tf.div(tf.mul(m, rate), tf.add(tf.sqrt(v), epsilon));
      first.assign(m);
      second.assign(v);
      weight.assign(tf.sub(keep === 1 ? weight : tf.mul(weight, keeps.get(keep)!), change));
    });
  }
}
