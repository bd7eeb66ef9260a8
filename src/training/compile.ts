import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { assert, assertKnownOptions, describe } from '../util/errors.js';
import { adamW } from './adam_w.js';
import { accuracy, nextToken, type TokenFunction } from './losses.js';
import type { Schedule } from './schedules.js';

/** Options of `compile`. */
export interface CompileOptions {
  /** Any TensorFlow.js optimizer; AdamW with its defaults unless given. */
  optimizer?: tf.Optimizer;
  /** Learning rate of that AdamW; not together with `optimizer`. */
  learningRate?: number | Schedule;
  /** Labels with this value do not count; −100. */
  ignoreIndex?: number;
  /** Part of the probability that is spread over all tokens; 0. */
  labelSmoothing?: number;
  /** `'accuracy'`, or functions of labels and logits. */
  metrics?: ('accuracy' | TokenFunction)[];
}

/**
 * Compiles a language model so that TensorFlow.js' own `fit`, `fitDataset`, `evaluate` and `evaluateDataset` train and
 * measure it with the loss of this package: softmax cross entropy of integer labels, some of them ignored.
 *
 * `fit` and `evaluate` take labels [B,T,1] (they insist on the rank of the output), `fitDataset` also [B,T]. They
 * average over batches: where batches differ in the number of ignored labels, that is not the average over labels,
 * which `training.evaluate` gives. After `tf.loadLayersModel`, compile again: a saved model holds the name of the loss
 * of TensorFlow.js, not this function.
 *
 * @param model A model with one output, logits [B,T,V].
 * @param options `optimizer` or `learningRate`, `ignoreIndex` (−100), `labelSmoothing` (0), `metrics` (none).
 */
export function compile(model: tfl.LayersModel, options: CompileOptions = {}): void {
  assertKnownOptions('compile', options, [
    'optimizer',
    'learningRate',
    'ignoreIndex',
    'labelSmoothing',
    'metrics',
  ]);
  const { optimizer, learningRate, ignoreIndex = -100, labelSmoothing = 0, metrics = [] } = options;
  assert(
    optimizer === undefined || learningRate === undefined,
    () =>
      'compile: learningRate belongs to the default optimizer. Give it to your own optimizer instead.',
  );
  assert(
    model.outputs.length === 1,
    () =>
      `compile: the model must have one output, the logits, got ${model.outputs.length} outputs.`,
  );
  const functions = metrics.map((metric) => {
    assert(
      metric === 'accuracy' || typeof metric === 'function',
      () => `compile: a metric must be 'accuracy' or a function, got ${describe(metric)}.`,
    );
    return metric === 'accuracy' ? accuracy({ ignoreIndex }) : metric;
  });
  model.compile({
    optimizer: optimizer ?? adamW({ learningRate }),
    // With this name `fit` accepts integer labels; the function behind it clips logits, so it is replaced below.
    loss: 'sparseCategoricalCrossentropy',
    metrics: functions,
  });
  // So that `model.dispose()` frees an optimizer that nobody else holds.
  if (optimizer === undefined) Reflect.set(model, 'isOptimizerOwned', true);
  model.lossFunctions[0] = nextToken({ ignoreIndex, labelSmoothing });
}
