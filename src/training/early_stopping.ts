import { assertInteger, assertKnownOptions, assertNumber } from '../util/errors.js';

/** When a run stops because the validation loss no longer falls. */
export interface EarlyStoppingOptions {
  /** Validations without a better loss after which the run stops. */
  patience: number;
  /** By how much a loss must be lower to be better; 0. */
  minDelta?: number;
  /** Whether the model ends with its weights at the best validation; true. */
  restoreBest?: boolean;
}

/** The best validation of a run, and what has come since; part of a checkpoint. */
export interface BestState {
  /** Step of the best validation. */
  step: number;
  /** Its loss. */
  loss: number;
  /** Validations since then. */
  since: number;
}

/**
 * Checks the options.
 *
 * @param options What `fit` was given.
 */
export function checkEarlyStopping(options: EarlyStoppingOptions): void {
  assertKnownOptions('fit: earlyStopping', options, ['patience', 'minDelta', 'restoreBest']);
  assertInteger('fit', 'earlyStopping.patience', options.patience);
  assertNumber('fit', 'earlyStopping.minDelta', options.minDelta ?? 0, 0);
}

/** Keeps the best validation of a run, and says when to stop waiting for a better one. */
export class BestValidation {
  private best: BestState | undefined;

  /**
   * @param options Early stopping; without it the best is kept, and nothing stops.
   */
  constructor(private readonly options: EarlyStoppingOptions | undefined) {}

  /** What a checkpoint holds of it. */
  get state(): BestState | undefined {
    return this.best && { ...this.best };
  }

  /** Goes on from what a checkpoint held. */
  set state(state: BestState | undefined) {
    this.best = state && { ...state };
  }

  /** Whether so many validations were no better that the run is to stop. */
  get exhausted(): boolean {
    return (
      this.options !== undefined &&
      this.best !== undefined &&
      this.best.since >= this.options.patience
    );
  }

  /**
   * Takes a validation into account.
   *
   * @param step Its step.
   * @param loss Its loss.
   * @returns Whether it is the best so far.
   */
  update(step: number, loss: number): boolean {
    const { minDelta = 0 } = this.options ?? {};
    const better = this.best === undefined ? !Number.isNaN(loss) : loss < this.best.loss - minDelta;
    if (better) this.best = { step, loss, since: 0 };
    else if (this.best) this.best.since++;
    return better;
  }
}
