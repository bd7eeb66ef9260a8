/** What `training.fit` takes and returns. */
import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import {
  assert,
  assertInteger,
  assertKnownOptions,
  assertNumber,
  describe,
} from '../util/errors.js';
import type { Callback } from './callback.js';
import type { LossOptions } from './compute_gradients.js';
import { assertDatasetFits, type Dataset } from './dataset.js';
import { checkEarlyStopping, type EarlyStoppingOptions } from './early_stopping.js';
import type { LogEntry, ValidationEntry } from './history.js';
import type { Metric } from './metrics.js';
import type { ProgressStream } from './progress.js';
import type { Schedule } from './schedules.js';
import type { CheckpointStorage } from './storage.js';

/** Where, when and how many checkpoints are saved. */
export interface CheckpointOptions {
  /** For example `fileStorage('run')`. */
  storage: CheckpointStorage;
  /** Steps between two; only at the end, or when the run is stopped, unless given. */
  every?: number;
  /** How many are kept, the best one aside; 2. */
  keep?: number;
  /** Whether the one with the best validation loss is kept too, for `loadCheckpoint(storage, 'best', …)`; false. */
  keepBest?: boolean;
}

/** Options of `fit`. */
export interface FitOptions extends LossOptions {
  /** Any TensorFlow.js optimizer; AdamW with its defaults unless given. The caller disposes of it. */
  optimizer?: tf.Optimizer;
  /** Learning rate of that AdamW, a number or a schedule; not together with `optimizer`. */
  learningRate?: number | Schedule;
  /** Passes over the dataset; 1 unless `steps` is given. */
  epochs?: number;
  /** Optimizer steps in all, over as many epochs as they need; those before a checkpoint count. */
  steps?: number;
  /** Largest global norm of the gradients; no clipping unless given. */
  clipNorm?: number;
  /** Batches a step; their gradients are added up. 1. */
  gradientAccumulation?: number;
  /** Dataset to measure the loss on. */
  validationData?: Dataset;
  /** Steps between two validations; after every epoch unless given. There is always one at the end. */
  validateEvery?: number;
  /** Batches a validation; all unless given. */
  validationSteps?: number;
  /** What validations measure beside the loss: `'accuracy'`, `'perplexity'`, or functions; nothing. */
  metrics?: readonly Metric[];
  /** Stops when the validation loss no longer falls; needs `validationData`. */
  earlyStopping?: EarlyStoppingOptions;
  /** Steps between two readings of the loss; 10. There is always one at the end. */
  logEvery?: number;
  /** Called after every step; it delays the next one. */
  onStep?: (step: StepInfo) => unknown;
  /** Called when the loss was read. */
  onLog?: (entry: LogEntry) => unknown;
  /** Called after every validation. */
  onValidation?: (entry: ValidationEntry) => unknown;
  /** Logs and other followers of the run, for example `jsonLines('log.jsonl')`. */
  callbacks?: readonly Callback[];
  /** Checkpoints; none unless given. */
  checkpoint?: CheckpointOptions;
  /** Name of a checkpoint in that storage, `'latest'` or `'best'`, to go on from. */
  resumeFrom?: string;
  /** Stops the run after the step under way, with a checkpoint where those are wanted. */
  signal?: AbortSignal;
  /** Whether to show a progress bar, on stderr or on the given stream; only on a terminal unless given. */
  progress?: boolean | ProgressStream;
}

/** One step, as `onStep` gets it. */
export interface StepInfo {
  /** Steps done, this one included. */
  step: number;
  /** Epoch of the next batch. */
  epoch: number;
  /** Number of the next batch in its epoch. */
  batch: number;
  /** Labels that counted in this step. */
  tokens: number;
  /** Learning rate of this step, where the optimizer tells. */
  learningRate: number | undefined;
  /** Loss before the update; it belongs to `fit`. */
  loss: tf.Scalar;
  /** Global norm before clipping, where `clipNorm` is given; it belongs to `fit`. */
  gradientNorm: tf.Scalar | undefined;
}

const OPTIONS = [
  'optimizer',
  'learningRate',
  'epochs',
  'steps',
  'clipNorm',
  'gradientAccumulation',
  'validationData',
  'validateEvery',
  'validationSteps',
  'metrics',
  'earlyStopping',
  'logEvery',
  'onStep',
  'onLog',
  'onValidation',
  'callbacks',
  'checkpoint',
  'resumeFrom',
  'signal',
  'progress',
  'loss',
  'ignoreIndex',
  'labelSmoothing',
  'lossNormalization',
] as const satisfies readonly (keyof FitOptions)[];

/**
 * Checks what `fit` was called with.
 *
 * @param model The model.
 * @param dataset The dataset.
 * @param options The options.
 * @returns Number of steps in all; infinite where only the end of the dataset tells.
 * @throws Error naming what is wrong.
 */
export function checkFitOptions(
  model: tfl.LayersModel,
  dataset: Dataset,
  options: FitOptions,
): number {
  assertKnownOptions('fit', options, OPTIONS);
  assert(
    model.outputs.length === 1,
    () => `fit: the model must have one output, the logits, got ${model.outputs.length} outputs.`,
  );
  assert(
    typeof (dataset as Partial<Dataset> | undefined)?.batches === 'function',
    () =>
      `fit: dataset must have batches(epoch, from), got ${describe(dataset)}. Make one with textDataset, or use ` +
      'training.compile and model.fitDataset for a dataset of TensorFlow.js.',
  );
  assert(
    dataset.batchesPerEpoch === undefined || dataset.batchesPerEpoch > 0,
    () => `fit: the dataset must not be empty, got batchesPerEpoch=${dataset.batchesPerEpoch}.`,
  );
  assertDatasetFits('fit', model, dataset);
  const counts = [
    'epochs',
    'steps',
    'gradientAccumulation',
    'validateEvery',
    'validationSteps',
    'logEvery',
  ] as const;
  for (const name of counts) {
    if (options[name] !== undefined) assertInteger('fit', name, options[name]);
  }
  const { epochs = 1, gradientAccumulation = 1, clipNorm, checkpoint, lossNormalization } = options;
  if (clipNorm !== undefined) assertNumber('fit', 'clipNorm', clipNorm, Number.MIN_VALUE);
  assert(
    options.steps === undefined || options.epochs === undefined,
    () =>
      `fit: give steps or epochs, not both, got steps=${options.steps}, epochs=${options.epochs}.`,
  );
  assert(
    options.optimizer === undefined || options.learningRate === undefined,
    () =>
      'fit: learningRate belongs to the default optimizer. Give it to your own optimizer instead.',
  );
  assert(
    lossNormalization === undefined || ['tokens', 'batches'].includes(lossNormalization),
    () =>
      `fit: lossNormalization must be 'tokens' or 'batches', got lossNormalization=${describe(lossNormalization)}.`,
  );
  if (checkpoint !== undefined) {
    assertKnownOptions('fit: checkpoint', checkpoint, [
      ...['storage', 'every', 'keep', 'keepBest'],
    ]);
    assert(
      typeof checkpoint.storage?.write === 'function',
      () => `fit: checkpoint.storage must be a storage, for example fileStorage('run').`,
    );
    if (checkpoint.every !== undefined) assertInteger('fit', 'checkpoint.every', checkpoint.every);
    if (checkpoint.keep !== undefined) assertInteger('fit', 'checkpoint.keep', checkpoint.keep);
  }
  if (options.earlyStopping !== undefined) checkEarlyStopping(options.earlyStopping);
  for (const name of ['earlyStopping', 'metrics'] as const) {
    assert(
      options[name] === undefined || options.validationData !== undefined,
      () => `fit: ${name} needs validationData, on which the loss is measured.`,
    );
  }
  assert(
    options.resumeFrom === undefined || checkpoint !== undefined,
    () => 'fit: resumeFrom needs checkpoint.storage, where the checkpoint is.',
  );
  const { batchesPerEpoch = Infinity } = dataset;
  return options.steps ?? Math.ceil((epochs * batchesPerEpoch) / gradientAccumulation);
}
