import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { sparseSoftmaxCrossEntropy } from '../ops/sparse_softmax_cross_entropy.js';
import { countLabels, toTensors, type Batch } from './dataset.js';

/** How the loss of a step is made from its batches. */
export interface LossOptions {
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
 * Loss and gradients of a language model over one or more batches, whose gradients are added up.
 *
 * @param model A model with one output, logits [B,T,V]; it is called in training mode.
 * @param batches At least one; more than one is gradient accumulation.
 * @param options `ignoreIndex` (−100), `labelSmoothing` (0), `lossNormalization` (`tokens`).
 * @returns Tensors to dispose of, before any update of the weights.
 */
export function computeGradients(
  model: tfl.LayersModel,
  batches: readonly Batch[],
  options: LossOptions = {},
): StepGradients {
  const { ignoreIndex = -100, labelSmoothing = 0, lossNormalization = 'tokens' } = options;
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const counts = batches.map((batch) => countLabels(batch, ignoreIndex));
  const tokens = counts.reduce((sum, count) => sum + count, 0);
  let total: { value: tf.Scalar; grads: tf.NamedTensorMap } | undefined;
  batches.forEach((batch, i) => {
    const divisor = lossNormalization === 'tokens' ? tokens : counts[i] * batches.length;
    const part = tf.tidy(() => {
      const { inputs, labels } = toTensors(batch, model.inputNames);
      return tf.variableGrads(() => {
        const sum = lossSum(model, inputs, labels, { ignoreIndex, labelSmoothing, training: true });
        const loss = tf.mul<tf.Scalar>(sum, 1 / Math.max(1, divisor));
        const penalties = i === 0 ? model.calculateLosses() : [];
        return penalties.reduce((a, b) => tf.add<tf.Scalar>(a, b), loss);
      }, variables);
    });
    total = total === undefined ? part : addUp(total, part);
  });
  return { loss: total!.value, gradients: total!.grads, tokens };
}

/**
 * Cross entropy of a batch, summed over its counted labels.
 *
 * @param model The model.
 * @param inputs Tensors by the names of its inputs.
 * @param labels int32 [B,T].
 * @param options `ignoreIndex`, `labelSmoothing`, and whether the model is called in training mode.
 * @returns A scalar.
 */
export function lossSum(
  model: tfl.LayersModel,
  inputs: tf.NamedTensorMap,
  labels: tf.Tensor,
  options: { ignoreIndex: number; labelSmoothing: number; training: boolean },
): tf.Scalar {
  const { ignoreIndex, labelSmoothing, training } = options;
  const given = model.inputNames.map((name) => inputs[name]);
  const logits = model.apply(given.length === 1 ? given[0] : given, { training }) as tf.Tensor;
  return sparseSoftmaxCrossEntropy(logits, labels, {
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
