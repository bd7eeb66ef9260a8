/** Training: optimizer, schedules, losses, datasets, the loop, checkpoints. */
export { adamW, AdamW, type AdamWOptions } from './adam_w.js';
export * as schedules from './schedules.js';
export * as losses from './losses.js';
export { clipByGlobalNorm } from './clip_by_global_norm.js';
export { compile, type CompileOptions } from './compile.js';
export { freeze, unfreeze } from './freeze.js';
export { textDataset, type TextDataset } from './text_dataset.js';
export type { TextDatasetOptions, TextInput } from './text_dataset_options.js';
export { arrayDataset, type ArrayDataset, type ArrayDatasetOptions } from './array_dataset.js';
export { lineDataset, type LineDataset, type LineDatasetOptions } from './line_dataset.js';
export {
  tokenFileDataset,
  type TokenFileDataset,
  type TokenFileDatasetOptions,
} from './token_file_dataset.js';
export { streamDataset, type StreamDataset, type StreamDatasetOptions } from './stream_dataset.js';
export type { CollateOptions, Example, Value } from './collate.js';
export {
  toTensors,
  type Batch,
  type Dataset,
  type HostArray,
  type TensorBatch,
  type TensorIterator,
} from './dataset.js';
export { splitDocuments, splitText, type SplitOptions } from './split.js';
export { computeGradients, type LossOptions, type StepGradients } from './compute_gradients.js';
export { evaluate, type EvaluateOptions, type Evaluation } from './evaluate.js';
export { fit } from './fit.js';
export type { CheckpointOptions, FitOptions, StepInfo } from './fit_options.js';
export type { History, LogEntry, ValidationEntry } from './history.js';
export type { BestState, EarlyStoppingOptions } from './early_stopping.js';
export type { Callback } from './callback.js';
export { jsonLines } from './json_lines.js';
export { tensorBoard, type TensorBoardOptions } from './tensor_board.js';
export type { Metric } from './metrics.js';
export {
  bestCheckpoint,
  latestCheckpoint,
  listCheckpoints,
  loadCheckpoint,
  saveCheckpoint,
  type TrainingParts,
  type TrainingState,
} from './checkpoint.js';
export { memoryStorage, type CheckpointStorage } from './storage.js';
export { fileStorage } from './file_storage.js';
export { modelFiles, type ModelFiles } from './model_files.js';
export { interruptSignal, type Interrupt } from './interrupt.js';
export type { ProgressStream } from './progress.js';
export type { Schedule, ScheduleConfig, WarmupCosineOptions } from './schedules.js';
export type { NextTokenOptions, TokenFunction } from './losses.js';
