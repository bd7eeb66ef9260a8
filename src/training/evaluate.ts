import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { assert, assertInteger, assertKnownOptions } from '../util/errors.js';
import { lossSum, outputOf } from './compute_gradients.js';
import {
  assertBatchFits,
  assertDatasetFits,
  countLabels,
  toTensors,
  type Dataset,
} from './dataset.js';
import type { TokenFunction } from './losses.js';
import { metricFunctions, metricName, type Metric } from './metrics.js';

/** Options of `evaluate`. */
export interface EvaluateOptions {
  /** Largest number of batches; all of the dataset unless given. */
  steps?: number;
  /** Mean loss of a batch, as for `fit`; softmax cross entropy unless given. */
  loss?: TokenFunction;
  /** Labels with this value do not count; −100. */
  ignoreIndex?: number;
  /** What to measure beside the loss; nothing. */
  metrics?: readonly Metric[];
}

/** What `evaluate` measures. */
export interface Evaluation {
  /** Mean loss of a counted label; of the default loss in nats. */
  loss: number;
  /** Number of counted labels. */
  tokens: number;
  /** By name, means over the counted labels; where metrics are asked for. */
  metrics?: Record<string, number>;
}

/**
 * Mean loss of a model over a dataset: the sum over all counted labels, divided by their number, so it does not depend
 * on how the dataset is cut into batches. The same holds for the metrics.
 *
 * @param model A model with one output, by default logits [...,V]; it is called in inference mode (no dropout).
 * @param dataset Its epoch 0 is used.
 * @param options `steps` (all batches), `loss` (softmax cross entropy), `ignoreIndex` (−100), `metrics` (none).
 * @returns Loss, number of labels, metrics.
 */
export async function evaluate(
  model: tfl.LayersModel,
  dataset: Dataset,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  assertKnownOptions('evaluate', options, ['steps', 'loss', 'ignoreIndex', 'metrics']);
  const { steps = Infinity, loss, ignoreIndex = -100, metrics = [] } = options;
  if (steps !== Infinity) assertInteger('evaluate', 'steps', steps);
  assertDatasetFits('evaluate', model, dataset);
  const functions = metricFunctions('evaluate', metrics, ignoreIndex);
  const sums = new Float64Array(1 + functions.length); // of the loss, then of each metric
  let tokens = 0;
  let done = 0;
  for await (const batch of dataset.batches(0)) {
    if (done++ === steps) break;
    assertBatchFits('evaluate', model, batch, loss ? null : ignoreIndex);
    const count = countLabels(batch, ignoreIndex);
    const measured = tf.tidy(() => {
      const { inputs, labels } = toTensors(batch, model.inputNames);
      const output = outputOf(model, inputs, false);
      const sum = lossSum(output, labels, count, { loss, ignoreIndex });
      return tf.stack([sum, ...functions.map((metric) => metric(labels, output))]);
    });
    const values = await measured.data();
    measured.dispose();
    sums.forEach((_, i) => (sums[i] += i === 0 ? values[0] : values[i] * count));
    tokens += count;
  }
  assert(tokens > 0, () => 'evaluate: the dataset must hold labels that count, got none.');
  const mean = sums[0] / tokens;
  if (metrics.length === 0) return { loss: mean, tokens };
  const named = metrics.map((metric, i) => [
    metricName(metric, i),
    // The mean of the batches' perplexities would depend on how the dataset is cut.
    metric === 'perplexity' && loss === undefined ? Math.exp(mean) : sums[1 + i] / tokens,
  ]);
  return { loss: mean, tokens, metrics: Object.fromEntries(named) as Record<string, number> };
}
