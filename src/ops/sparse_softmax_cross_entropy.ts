/**
 * Cross-entropy from logits and integer labels. The tf.losses version clips logits, builds a one-hot of [M, V] and
 * multiplies by it; here one number a row is gathered, and one a row is scattered in the gradient.
 *
 * The logarithm of the partition function comes from the largest probability: p = softmax(logits) has
 * max p = 1/Σ exp(logits − max), never below 1/V, so log Σ exp(logits) = max logits − log max p. On wasm the fused
 * softmax is 7 times faster than exp alone, and p is what the gradient needs.
 *
 * `gatherND`, not `gather` with batchDims: on wasm 4.22 that one reads the wrong rows, or beyond its memory.
 */
import * as tf from '@tensorflow/tfjs-core';
import {
  assert,
  assertInteger,
  assertKnownOptions,
  assertNumber,
  describe,
} from '../util/errors.js';
import { assertFloatTensor } from '../util/float_tensor.js';
import { assertExactIntegers } from '../util/half_floats.js';
import { shapeText } from '../util/shapes.js';
import { dispatch } from './dispatch.js';
import { putEntries, rowEntries, takeEntries } from './row_entries.js';

/** Options of {@link sparseSoftmaxCrossEntropy}. */
export interface SparseSoftmaxCrossEntropyOptions {
  /** Positions with this label count for nothing: loss 0, gradient 0; −100 by default (PyTorch). */
  ignoreIndex?: number;
  /** `'mean'` over the counted positions (default; 0 when there is none), `'sum'`, or `'none'`: one loss a position. */
  reduction?: 'mean' | 'sum' | 'none';
  /** ε in [0, 1): the target is 1 − ε on the label plus ε/V on every entry; 0 by default. */
  labelSmoothing?: number;
}

/**
 * Cross-entropy of integer labels: loss = log Σ_v exp(logits_v) − logits_label, in nats.
 *
 * With label smoothing ε: (1 − ε)·loss + ε·(log Σ exp(logits) − mean(logits)), as in PyTorch. The gradient of one
 * position is softmax(logits) − target, times its weight.
 *
 * @param logits [..., V], float32, finite; −1e9 for a removed entry is fine.
 * @param labels [...] or [..., 1], int32 or float32 holding integers, 0 … V−1 or `ignoreIndex`; other values are
 *   undefined on the device. No gradient flows into them.
 * @param options {@link SparseSoftmaxCrossEntropyOptions}
 * @returns A scalar; with reduction `'none'` the loss of each position, [...].
 * @throws Error when the shapes do not fit together or an option is out of range; when the backend stores 16-bit
 *   floats and V is above 2,049, because it could not tell the labels apart.
 */
export function sparseSoftmaxCrossEntropy(
  logits: tf.Tensor,
  labels: tf.Tensor,
  options: SparseSoftmaxCrossEntropyOptions = {},
): tf.Tensor {
  const where = 'sparseSoftmaxCrossEntropy';
  assertFloatTensor(where, 'logits', logits, 1);
  assertKnownOptions(where, options, ['ignoreIndex', 'reduction', 'labelSmoothing']);
  const { reduction = 'mean' } = options;
  const ignoreIndex = assertInteger(where, 'ignoreIndex', options.ignoreIndex ?? -100, -Infinity);
  const labelSmoothing = assertNumber(where, 'labelSmoothing', options.labelSmoothing ?? 0, 0, 1);
  assert(
    ['mean', 'sum', 'none'].includes(reduction),
    () =>
      `${where}: reduction must be 'mean', 'sum' or 'none', got reduction=${describe(reduction)}.`,
  );
  assert(
    labels instanceof tf.Tensor && (labels.dtype === 'int32' || labels.dtype === 'float32'),
    () => `${where}: labels must be an int32 tensor, or a float32 one holding integers.`,
  );
  const shape = logits.shape.slice(0, -1);
  assert(
    labels.shape.join() === shape.join() || labels.shape.join() === [...shape, 1].join(),
    () =>
      `${where}: labels must have the shape of logits without the last axis, ${shapeText(shape)}, ` +
      `got labels=${shapeText(labels.shape)}, logits=${shapeText(logits.shape)}.`,
  );
  if (labels.size === 0) return withoutRows(logits, reduction === 'none' ? shape : []);
  assertExactIntegers(where, 'labels', logits.shape[logits.rank - 1] - 1);
  return tf.tidy(() => {
    const whole = tf.reshape(tf.cast(labels, 'int32'), shape);
    const losses = dispatch({
      kernel: 'TransformersSparseSoftmaxCrossEntropy',
      inputs: { logits, labels: whole },
      differentiable: ['logits'],
      attrs: { ignoreIndex, labelSmoothing },
      reference: () => reference(logits, whole, ignoreIndex, labelSmoothing),
    });
    if (reduction === 'none') return losses;
    if (reduction === 'sum') return tf.sum(losses);
    const counted = tf.sum(tf.cast(isCounted(whole, ignoreIndex), 'float32'));
    return tf.div(tf.sum(losses), tf.maximum(counted, 1));
  });
}

/** The loss of no rows, 0 or empty: gatherND throws there, and on wasm the sum of nothing is anything. */
function withoutRows(logits: tf.Tensor, shape: number[]): tf.Tensor {
  const value = (): tf.Tensor => (shape.length > 0 ? tf.zeros(shape) : tf.scalar(0));
  const gradFunc = (): tf.Tensor => tf.zeros(logits.shape);
  return tf.customGrad(() => ({ value: value(), gradFunc }))(logits);
}

/** Loss of each position, 0 where it is ignored. */
function reference(
  logits: tf.Tensor,
  labels: tf.Tensor,
  ignoreIndex: number,
  smoothing: number,
): tf.Tensor {
  const V = logits.shape[logits.rank - 1];
  const M = labels.size;
  const gradFunc = (dy: tf.Tensor, [p, at, counted]: tf.Tensor[]): tf.Tensor => {
    const weight = tf.mul(tf.reshape(dy, [M]), tf.cast(counted, 'float32'));
    const target = putEntries(tf.mul(weight, 1 - smoothing), at, [M, V]);
    const spread = smoothing > 0 ? tf.sub(p, smoothing / V) : p;
    const gradient = tf.sub(tf.mul(spread, tf.reshape(weight, [M, 1])), target);
    return tf.reshape(gradient, logits.shape);
  };
  return tf.customGrad((input, save) => {
    const rows = tf.reshape(input as tf.Tensor, [M, V]);
    const flat = tf.reshape(labels, [M]);
    const counted = isCounted(flat, ignoreIndex);
    const column = tf.mul(flat, tf.cast(counted, 'int32')); // an ignored label gathers entry 0 instead
    const at = rowEntries(column, V);
    const p = tf.softmax(rows);
    const max = tf.max(rows, -1);
    const logMaxP = tf.log(tf.max(p, -1));
    (save as tf.GradSaveFunc)([p, at, counted]);
    let losses = tf.sub(tf.sub(max, takeEntries(rows, at)), logMaxP);
    if (smoothing > 0) {
      const uniform = tf.sub(tf.sub(max, tf.mean(rows, -1)), logMaxP);
      losses = tf.add(tf.mul(losses, 1 - smoothing), tf.mul(uniform, smoothing));
    }
    const value = tf.where(counted, losses, tf.zerosLike(losses));
    return { value: tf.reshape(value, labels.shape), gradFunc };
  })(logits);
}

function isCounted(labels: tf.Tensor, ignoreIndex: number): tf.Tensor {
  return tf.notEqual(labels, tf.scalar(ignoreIndex, 'int32'));
}
