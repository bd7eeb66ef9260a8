/** Losses as functions of labels and logits, in the order in which `model.compile` calls them. */
import * as tf from '@tensorflow/tfjs-core';
import { sparseSoftmaxCrossEntropy } from '../ops/sparse_softmax_cross_entropy.js';
import { assert, assertInteger, assertKnownOptions, assertNumber } from '../util/errors.js';
import { shapeText } from '../util/shapes.js';

/** Options of `nextToken`. */
export interface NextTokenOptions {
  /** Labels with this value do not count; −100. */
  ignoreIndex?: number;
  /** Part of the probability that is spread over all tokens; 0. */
  labelSmoothing?: number;
}

/** A loss or a metric: labels and outputs of a batch ([B,T] or [B,T,1] and logits [B,T,V]), to a scalar, their mean. */
export type TokenFunction = (labels: tf.Tensor, logits: tf.Tensor) => tf.Scalar;

/**
 * Cross entropy of the labels, averaged over those that count.
 *
 * @param options `ignoreIndex` (−100), `labelSmoothing` (0).
 * @returns A function of labels [B,T] (or [B,T,1], as `model.fit` hands them over) and logits [B,T,V].
 */
export function nextToken(options: NextTokenOptions = {}): TokenFunction {
  assertKnownOptions('losses.nextToken', options, ['ignoreIndex', 'labelSmoothing']);
  const { ignoreIndex = -100, labelSmoothing = 0 } = options;
  assertInteger('losses.nextToken', 'ignoreIndex', ignoreIndex, -Infinity);
  assertNumber('losses.nextToken', 'labelSmoothing', labelSmoothing, 0, 1);
  return (labels, logits) =>
    tf.tidy(() => {
      const ids = tokenLabels('losses.nextToken', labels, logits);
      return sparseSoftmaxCrossEntropy(logits, ids, { ignoreIndex, labelSmoothing }) as tf.Scalar;
    });
}

/**
 * Part of the counted labels that have the largest logit.
 *
 * @param options `ignoreIndex` (−100).
 * @returns A function of labels [B,T] or [B,T,1] and logits [B,T,V], named `accuracy`.
 */
export function accuracy(options: { ignoreIndex?: number } = {}): TokenFunction {
  assertKnownOptions('losses.accuracy', options, ['ignoreIndex']);
  const { ignoreIndex = -100 } = options;
  const named = {
    accuracy: (labels: tf.Tensor, logits: tf.Tensor): tf.Scalar =>
      tf.tidy(() => {
        const ids = tokenLabels('losses.accuracy', labels, logits);
        const counted = tf.cast(tf.notEqual(ids, ignoreIndex), 'float32');
        const right = tf.cast(tf.equal(tf.argMax(logits, -1), ids), 'float32');
        return tf.div<tf.Scalar>(tf.sum(tf.mul(right, counted)), tf.maximum(tf.sum(counted), 1));
      }),
  };
  return named.accuracy; // TensorFlow.js calls a metric by the name of its function
}

/**
 * Perplexity: e to the power of the mean cross entropy of the counted labels, the number of tokens between which the
 * model is as good as undecided. TensorFlow.js' `fit` and `evaluate` average it over batches; `training.evaluate` takes
 * it of the loss over all labels, which does not depend on the batches.
 *
 * @param options `ignoreIndex` (−100).
 * @returns A function of labels [B,T] or [B,T,1] and logits [B,T,V], named `perplexity`.
 */
export function perplexity(options: { ignoreIndex?: number } = {}): TokenFunction {
  assertKnownOptions('losses.perplexity', options, ['ignoreIndex']);
  const crossEntropy = nextToken(options);
  const named = {
    perplexity: (labels: tf.Tensor, logits: tf.Tensor): tf.Scalar =>
      tf.tidy(() => tf.exp(crossEntropy(labels, logits))),
  };
  return named.perplexity;
}

/** Labels as int32 of the logits' shape without its last axis. */
function tokenLabels(where: string, labels: tf.Tensor, logits: tf.Tensor): tf.Tensor {
  const shape = logits.shape.slice(0, -1);
  assert(
    tf.util.arraysEqual(labels.shape, shape) || tf.util.arraysEqual(labels.shape, [...shape, 1]),
    () =>
      `${where}: labels must have shape ${shapeText(shape)} or ${shapeText([...shape, 1])} for logits of shape ` +
      `${shapeText(logits.shape)}, got shape=${shapeText(labels.shape)}.`,
  );
  return tf.cast(tf.reshape(labels, shape), 'int32');
}
