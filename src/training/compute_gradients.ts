import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { sparseSoftmaxCrossEntropy } from '../ops/sparse_softmax_cross_entropy.js';
import { countLabels, toTensors, type Batch } from './dataset.js';
import type { TokenFunction } from './losses.js';
import { regularizationLosses } from './regularization.js';

/** How the loss of a step is made from its batches. */
export interface LossOptions {
  /**
   * Mean loss of a batch, as a function of labels and outputs, for example `tf.losses.meanSquaredError` or
   * `tf.losses.sigmoidCrossEntropy`; it makes of `ignoreIndex` and `labelSmoothing` what it likes. Softmax cross entropy
   * of whole-number labels [...] and logits [...,V] unless given: next tokens [B,T], or classes [B].
   */
  loss?: TokenFunction;
  /** Labels with this value do not count; −100. */
  ignoreIndex?: number;
  /** Part of the probability that is spread over all tokens; 0. */
  labelSmoothing?: number;
  /**
   * `tokens`: the sum over all counted labels of all batches, divided by their number, so that micro-batches give the
   * step of one large batch. `batches`: the mean of the batches' mean losses. `tokens` unless given.
   */
  lossNormalization?: 'tokens' | 'batches';
}

/** Loss and gradients of one step. */
export interface StepGradients {
  /** Loss of the step, regularisation included. */
  loss: tf.Scalar;
  /** By name of the variable. */
  gradients: tf.NamedTensorMap;
  /** Labels that counted. */
  tokens: number;
}

/**
 * Loss and gradients of a model over one or more batches, whose gradients are added up. The penalties of regularizers
 * are part of the loss.
 *
 * @param model A model with one output, by default logits [...,V]; it is called in training mode.
 * @param batches At least one; more than one is gradient accumulation.
 * @param options `loss` (softmax cross entropy), `ignoreIndex` (−100), `labelSmoothing` (0), `lossNormalization`
 * (`tokens`).
 * @returns Tensors to dispose of, before any update of the weights.
 */
export function computeGradients(
  model: tfl.LayersModel,
  batches: readonly Batch[],
  options: LossOptions = {},
): StepGradients {
  const { ignoreIndex = -100, lossNormalization = 'tokens' } = options;
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const counts = batches.map((batch) => countLabels(batch, ignoreIndex));
  const tokens = counts.reduce((sum, count) => sum + count, 0);
  let total: { value: tf.Scalar; grads: tf.NamedTensorMap } | undefined;
  batches.forEach((batch, i) => {
    const divisor = lossNormalization === 'tokens' ? tokens : counts[i] * batches.length;
    const part = tf.tidy(() => {
      const { inputs, labels } = toTensors(batch, model.inputNames);
      return tf.variableGrads(() => {
        const sum = lossSum(outputOf(model, inputs, true), labels, counts[i], options);
        const loss = tf.mul<tf.Scalar>(sum, 1 / Math.max(1, divisor));
        const penalties = i === 0 ? regularizationLosses(model) : [];
        return penalties.reduce((a, b) => tf.add<tf.Scalar>(a, b), loss);
      }, variables);
    });
    total = total === undefined ? part : addUp(total, part);
  });
  return { loss: total!.value, gradients: total!.grads, tokens };
}

/**
 * Output of a model for named inputs.
 *
 * @param model The model.
 * @param inputs Tensors by the names of its inputs.
 * @param training Whether it is called in training mode.
 * @returns Its one output.
 */
export function outputOf(
  model: tfl.LayersModel,
  inputs: tf.NamedTensorMap,
  training: boolean,
): tf.Tensor {
  const given = model.inputNames.map((name) => inputs[name]);
  return model.apply(given.length === 1 ? given[0] : given, { training }) as tf.Tensor;
}

/**
 * Loss of a batch, summed over its counted labels.
 *
 * @param output Output of the model.
 * @param labels Labels of the batch.
 * @param count How many of them count.
 * @param options `loss`, `ignoreIndex`, `labelSmoothing`.
 * @returns A scalar.
 */
export function lossSum(
  output: tf.Tensor,
  labels: tf.Tensor,
  count: number,
  options: Pick<LossOptions, 'loss' | 'ignoreIndex' | 'labelSmoothing'>,
): tf.Scalar {
  const { loss, ignoreIndex = -100, labelSmoothing = 0 } = options;
  if (loss !== undefined) return tf.mul<tf.Scalar>(loss(labels, output), count);
  return sparseSoftmaxCrossEntropy(output, labels, {
    ignoreIndex,
    labelSmoothing,
    reduction: 'sum',
  }) as tf.Scalar;
}

function addUp<S extends { value: tf.Scalar; grads: tf.NamedTensorMap }>(a: S, b: S): S {
  const sum = tf.tidy(() => ({
    value: tf.add<tf.Scalar>(a.value, b.value),
    grads: Object.fromEntries(
      Object.entries(a.grads).map(([name, gradient]) => [name, tf.add(gradient, b.grads[name])]),
    ),
  }));
  tf.dispose([a, b]);
  return sum as S;
}
