/** Training: optimizer, schedules, losses, datasets, the loop, checkpoints. */
export { adamW, AdamW, type AdamWOptions } from './adam_w.js';
export * as schedules from './schedules.js';
export * as losses from './losses.js';
export { clipByGlobalNorm } from './clip_by_global_norm.js';
export { compile, type CompileOptions } from './compile.js';
export { textDataset, type TextDataset, type TextDatasetOptions } from './text_dataset.js';
export {
  toTensors,
  type Batch,
  type Dataset,
  type HostArray,
  type TensorBatch,
} from './dataset.js';
export { splitDocuments, splitText, type SplitOptions } from './split.js';
export { computeGradients, type LossOptions, type StepGradients } from './compute_gradients.js';
export { evaluate, type EvaluateOptions, type Evaluation } from './evaluate.js';
export { fit } from './fit.js';
export type {
  CheckpointOptions,
  FitOptions,
  History,
  LogEntry,
  StepInfo,
  ValidationEntry,
} from './fit_options.js';
export {
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
