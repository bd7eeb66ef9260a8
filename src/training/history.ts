/** What a training run has seen. */
import type { BestState } from './early_stopping.js';

/** A reading of the loss. */
export interface LogEntry {
  /** Steps done. */
  step: number;
  /** Epochs done. */
  epoch: number;
  /** Mean loss of the steps since the last reading, each before its update. */
  loss: number;
  /** Learning rate of the last step, where the optimizer tells. */
  learningRate: number | undefined;
  /** Global norm of the last step before clipping, where `clipNorm` is given. */
  gradientNorm: number | undefined;
  /** Counted labels a second since the last reading. */
  tokensPerSecond: number;
  /** Seconds since the start of this call. */
  seconds: number;
}

/** A validation. */
export interface ValidationEntry {
  /** Steps done. */
  step: number;
  /** Epochs done. */
  epoch: number;
  /** Mean loss of a counted label; of the default loss in nats. */
  loss: number;
  /** Number of counted labels. */
  tokens: number;
  /** By name, where `metrics` are asked for. */
  metrics?: Record<string, number>;
}

/** What `fit` returns. */
export interface History {
  /** Steps done in all, those before a checkpoint included. */
  steps: number;
  /** Epochs done in all. */
  epochs: number;
  /** Labels that counted, in this call. */
  tokens: number;
  /** Why it stopped: all steps done, the signal, or early stopping. */
  stopped: 'finished' | 'aborted' | 'early';
  /** The best validation, those before a checkpoint included. */
  best?: Pick<BestState, 'step' | 'loss'>;
  /** Readings of the loss, in this call. */
  log: LogEntry[];
  /** Validations, in this call. */
  validation: ValidationEntry[];
}
