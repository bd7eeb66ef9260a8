import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { assert, assertInteger, assertKnownOptions } from '../util/errors.js';
import { lossSum } from './compute_gradients.js';
import { assertBatchFits, countLabels, toTensors, type Dataset } from './dataset.js';

/** Options of `evaluate`. */
export interface EvaluateOptions {
  /** Largest number of batches; all of the dataset unless given. */
  steps?: number;
  /** Labels with this value do not count; −100. */
  ignoreIndex?: number;
}

/** What `evaluate` measures. */
export interface Evaluation {
  /** Mean cross entropy of a counted label, in nats. */
  loss: number;
  /** Number of counted labels. */
  tokens: number;
}

/**
 * Mean loss of a language model over a dataset: the sum over all counted labels, divided by their number, so it does
 * not depend on how the dataset is cut into batches. The perplexity is `Math.exp(loss)`.
 *
 * @param model A model with one output, logits [B,T,V]; it is called in inference mode (no dropout).
 * @param dataset Its epoch 0 is used.
 * @param options `steps` (all batches), `ignoreIndex` (−100).
 * @returns Loss and number of labels.
 */
export async function evaluate(
  model: tfl.LayersModel,
  dataset: Dataset,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  assertKnownOptions('evaluate', options, ['steps', 'ignoreIndex']);
  const { steps = Infinity, ignoreIndex = -100 } = options;
  if (steps !== Infinity) assertInteger('evaluate', 'steps', steps);
  let sum = 0;
  let tokens = 0;
  let done = 0;
  for (const batch of dataset.batches(0)) {
    if (done++ === steps) break;
    assertBatchFits('evaluate', model, batch, ignoreIndex);
    const loss = tf.tidy(() => {
      const { inputs, labels } = toTensors(batch, model.inputNames);
      return lossSum(model, inputs, labels, { ignoreIndex, labelSmoothing: 0, training: false });
    });
    sum += (await loss.data())[0];
    loss.dispose();
    tokens += countLabels(batch, ignoreIndex);
  }
  assert(tokens > 0, () => 'evaluate: the dataset must hold labels that count, got none.');
  return { loss: sum / tokens, tokens };
}
