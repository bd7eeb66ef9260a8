import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { assert, assertKnownOptions } from '../util/errors.js';
import { adamW } from './adam_w.js';
import { applyConstraints } from './constraints.js';
import { nextToken } from './losses.js';
import { metricFunctions, type Metric } from './metrics.js';
import { regularizationLosses } from './regularization.js';
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
  /** `'accuracy'`, `'perplexity'`, or functions of labels and logits; they leave ignored labels out. */
  metrics?: Metric[];
}

/**
 * Compiles a model so that TensorFlow.js' own `fit`, `fitDataset`, `trainOnBatch`, `evaluate` and `evaluateDataset`
 * train and measure it with the loss of this package: softmax cross entropy of whole-number labels, some of them
 * ignored. Constraints of layers take effect after every step, and regularizers of layers inside layers count, once
 * each. A model of `tf.sequential` must be built.
 *
 * `fit`, `trainOnBatch` and `evaluate` take labels [B,T,1] (they insist on the rank of the output), `fitDataset` also
 * [B,T]. They average over batches: where batches differ in the number of ignored labels, that is not the average over
 * labels, which `training.evaluate` gives. What is frozen (`training.freeze`) must be frozen before. After
 * `tf.loadLayersModel`, compile again: a saved model holds the name of the loss of TensorFlow.js, not this function.
 *
 * @param model A model with one output, logits [...,V].
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
  const functions = metricFunctions('compile', metrics, ignoreIndex);
  model.compile({
    optimizer: optimizer ?? adamW({ learningRate }),
    // With this name `fit` accepts integer labels; the function behind it clips logits, so it is replaced below.
    loss: 'sparseCategoricalCrossentropy',
    metrics: functions,
  });
  // So that `model.dispose()` frees an optimizer that nobody else holds.
  if (optimizer === undefined) Reflect.set(model, 'isOptimizerOwned', true);
  // A sequential model hands everything to the functional one inside it.
  const inner = ((model as { model?: tfl.LayersModel }).model ?? model) as Trained;
  inner.lossFunctions[0] = nextToken({ ignoreIndex, labelSmoothing });
  inner.calculateLosses = () => tf.tidy(() => regularizationLosses(inner));
  inner.makeTrainFunction = function () {
    const step = makeTrainFunction.call(this);
    return (data) => {
      const measured = step(data);
      applyConstraints(this.trainableWeights);
      return measured;
    };
  };
}

/** The parts of a model that are replaced; the last one is the class's own, also where `compile` was called before. */
type Trained = tfl.LayersModel & { makeTrainFunction: TrainFunction };
type TrainFunction = (this: Trained) => (data: tf.Tensor[]) => tf.Scalar[];
const { makeTrainFunction } = tfl.LayersModel.prototype as unknown as {
  makeTrainFunction: TrainFunction;
};
