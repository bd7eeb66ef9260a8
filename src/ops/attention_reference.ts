/**
 * Attention in plain operations. It is written so that a masked key is invisible to the last bit, whatever finite
 * content it has: its scores are replaced before the softmax, its weight is set to exactly 0 after it (which also makes
 * a row without any visible key 0 instead of uniform), and its gradient is replaced before it can meet another number.
 */
import * as tf from '@tensorflow/tfjs-core';
import { and } from '../masks/and.js';
import { causal as causalMask } from '../masks/causal.js';
import { largeNegative } from '../masks/large_negative.js';
import { slidingWindow } from '../masks/sliding_window.js';
import { toBool } from '../masks/to_bool.js';
import { broadcastMask, replaceHidden } from '../util/broadcast.js';
import { storesHalfFloats } from '../util/half_floats.js';
import { stopGradient } from '../util/stop_gradient.js';

/** Sizes of one call, by the letters of util/shapes. */
export type AttentionSizes = Record<'B' | 'T' | 'S' | 'N' | 'K' | 'H' | 'Hv', number>;

/** What decides which keys a query sees: options of `dotProductAttention`. */
export interface Visibility {
  /** Nonzero = may attend. */
  mask?: tf.Tensor | null;
  /** Only keys up to i + offset. */
  causal?: boolean;
  /** Position of the first query among the keys. */
  offset?: number;
  /** Only keys within the window. */
  window?: number | null;
}

/** What makes scores of products: options of `dotProductAttention`, resolved. */
export interface Weighting {
  /** Added to the scores. */
  bias: tf.Tensor | undefined;
  /** What `visibleKeys` returns. */
  visible: tf.Tensor | undefined;
  /** Factor of the scores. */
  scale: number;
  /** 0 for none. */
  softCap: number;
}

/**
 * The AND of mask, causality and window.
 *
 * @param sizes Sizes of the call.
 * @param visibility Mask, causality, window.
 * @returns Bool, broadcastable to [B, N, T, S]; undefined when everything is visible.
 */
export function visibleKeys(
  { T, S }: AttentionSizes,
  { mask, causal, offset = 0, window }: Visibility,
): tf.Tensor | undefined {
  const parts: tf.Tensor[] = [];
  if (mask) parts.push(toBool(mask, 'dotProductAttention'));
  // One new token at the end of a cache sees every key: nothing to compute.
  if (causal && offset < S - 1) parts.push(causalMask(T, S, offset));
  if (window && !(causal && offset + T <= window)) parts.push(slidingWindow(T, S, window, offset));
  return parts.length > 0 ? and(...parts) : undefined;
}

/**
 * Keys or values of which those that no query sees are 0, where the backend stores 16-bit floats. What is beyond ±65,504
 * there is infinite or NaN, so that a weight of 0 would not keep it out of a sum. Elsewhere nothing is changed.
 *
 * @param x Keys or values, [B, S, K, H].
 * @param visible What `visibleKeys` returns.
 * @returns Shape of x.
 */
export function clearHidden(x: tf.Tensor, visible: tf.Tensor | undefined): tf.Tensor {
  if (visible === undefined || !storesHalfFloats()) return x;
  const seen = stopGradient(() => {
    const full = tf.reshape(visible, [...[1, 1, 1, 1].slice(visible.rank), ...visible.shape]);
    const byAny = tf.any(full, [1, 2]); // [B or 1, S or 1]
    return broadcastMask(tf.reshape(byAny, [...byAny.shape, 1, 1]), x.shape);
  });
  return replaceHidden(seen, x, 0);
}

/**
 * Probabilities [B, N, T, S]. Query heads that share a key head are stacked along the query axis, [B·K, G·T, H], so
 * that grouped queries need no copies of keys.
 *
 * Backward, from dP: dS = P ∘ (dP − Σ_j P ∘ dP) with dP first set to 0 at masked keys, because 0·∞ would be NaN
 * where the content of a masked key overflows.
 *
 * @param query [B, T, N, H]
 * @param key [B, S, K, H]
 * @param sizes Sizes of the call.
 * @param weighting Bias, visible keys, scale, soft cap.
 * @returns [B, N, T, S]
 */
export function attentionWeights(
  query: tf.Tensor,
  key: tf.Tensor,
  { B, T, S, N, K, H }: AttentionSizes,
  { bias, visible, scale, softCap }: Weighting,
): tf.Tensor4D {
  const rows = [B * K, (N / K) * T];
  const seen = visible && broadcastMask(visible, [B, N, T, S]);
  const operation = tf.customGrad((...args) => {
    const save = args.pop() as unknown as tf.GradSaveFunc;
    const [q, k] = args as tf.Tensor3D[];
    const raw = tf.reshape(tf.matMul(q, k, false, true), [B, N, T, S]);
    const capped = softCap > 0 ? tf.mul(softCap, tf.tanh(tf.div(raw, softCap))) : raw;
    const biased = bias ? tf.add(capped, bias) : capped;
    const masked = seen ? replaceHidden(seen, biased, largeNegative()) : biased;
    const softmaxed = tf.softmax(masked);
    const probabilities = seen ? tf.mul(softmaxed, tf.cast(seen, 'float32')) : softmaxed;
    save([q, k, probabilities, ...(seen ? [seen] : []), ...(softCap > 0 ? [capped] : [])]);
    const gradFunc = (dP: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] => {
      const [q, k, P, ...rest] = saved;
      const shown = seen && rest.shift()!;
      const shownDP = shown ? replaceHidden(shown, dP, 0) : dP;
      const dBiased = tf.mul(P, tf.sub(shownDP, tf.sum(tf.mul(P, shownDP), -1, true)));
      let dRaw = dBiased;
      if (softCap > 0) {
        const slope = tf.sub(1, tf.square(tf.div(rest.shift()!, softCap)));
        // A hidden score that overflowed has no slope, and 0·NaN is NaN.
        dRaw = tf.mul(dBiased, shown ? replaceHidden(shown, slope, 0) : slope);
      }
      const dS = tf.reshape(dRaw, [...rows, S]);
      const dQ = tf.matMul(dS, k);
      const dK = tf.matMul(dS, q, true, false);
      return bias ? [dQ, dK, sumTo(dBiased, bias.shape)] : [dQ, dK];
    };
    return { value: probabilities, gradFunc };
  });
  const q = tf.reshape(tf.transpose(tf.mul(query, scale), [0, 2, 1, 3]), [...rows, H]);
  const k = tf.reshape(tf.transpose(key, [0, 2, 1, 3]), [B * K, S, H]);
  return operation(q, k, ...(bias ? [bias] : [])) as tf.Tensor4D;
}

/**
 * Σ_j weights[b, n, i, j] · value[b, j, ⌊n/G⌋].
 *
 * @param weights [B, N, T, S]
 * @param value [B, S, K, Hv]
 * @param sizes Sizes of the call.
 * @returns [B, T, N, Hv]
 */
export function weightedValues(
  weights: tf.Tensor,
  value: tf.Tensor,
  { B, T, S, N, K, Hv }: AttentionSizes,
): tf.Tensor4D {
  const rows = tf.reshape(weights, [B * K, (N / K) * T, S]);
  const v = tf.reshape(tf.transpose(value, [0, 2, 1, 3]), [B * K, S, Hv]);
  const output = tf.reshape(tf.matMul(rows, v), [B, N, T, Hv]);
  return tf.transpose(output, [0, 2, 1, 3]) as tf.Tensor4D;
}

/** Sums a gradient over the axes along which its input was broadcast. */
function sumTo(gradient: tf.Tensor, shape: number[]): tf.Tensor {
  const skip = gradient.shape.length - shape.length;
  const axes = gradient.shape
    .map((_, axis) => axis)
    .filter((axis) => axis < skip || shape[axis - skip] === 1);
  return tf.reshape(axes.length > 0 ? tf.sum(gradient, axes) : gradient, shape);
}
