import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { assert } from '../util/errors.js';
import { adamW, isAdamW } from './adam_w.js';
import { listCheckpoints, loadCheckpoint, saveCheckpoint } from './checkpoint.js';
import { clipByGlobalNorm, clipScale, globalNorm } from './clip_by_global_norm.js';
import { computeGradients } from './compute_gradients.js';
import { assertBatchFits, type Batch, type Dataset } from './dataset.js';
import { evaluate } from './evaluate.js';
import { checkFitOptions, type FitOptions, type History, type LogEntry } from './fit_options.js';
import { onTerminal, Progress } from './progress.js';

/**
 * Trains a language model: batches in, next-token loss, gradients, one optimizer step after the other.
 *
 *     const history = await fit(model, dataset, { learningRate: 3e-3, epochs: 3, progress: true });
 *
 * Against TensorFlow.js' own `model.fit` it adds ignored labels at no cost, gradient accumulation normalised by counted
 * labels, clipping, validation by labels, checkpoints from which a run goes on to the last bit, and stopping by signal.
 * It reads the loss back only at log steps, and lets other work in between steps.
 *
 * @param model A model with one output, logits [B,T,V]; its inputs are taken from the dataset by their names.
 * @param dataset For example of `textDataset`.
 * @param options See `FitOptions`.
 * @returns What was measured, and why it stopped.
 * @throws Error when the loss is no longer finite, with the step and the learning rate; when an input is missing.
 */
export async function fit(
  model: tfl.LayersModel,
  dataset: Dataset,
  options: FitOptions = {},
): Promise<History> {
  const steps = checkFitOptions(model, dataset, options);
  const run = new Run(model, dataset, options, steps);
  try {
    return await run.train();
  } finally {
    run.dispose();
  }
}

/** Losses and norms that are still on the device, of the steps since the last log. */
interface Pending {
  loss: tf.Scalar;
  learningRate: number | undefined;
  tokens: number;
}

/** One call of `fit`. */
class Run {
  private readonly optimizer: tf.Optimizer;
  private readonly progress: Progress | undefined;
  private readonly history: History = {
    steps: 0,
    epochs: 0,
    tokens: 0,
    stopped: 'finished',
    log: [],
    validation: [],
  };
  private step = 0;
  private epoch = 0;
  private batch = 0;
  private savedAt = -1;
  private pending: Pending[] = [];
  private norm: tf.Scalar | undefined;
  private startedAt = 0;
  private startedFrom = 0;
  private loggedAt = 0;
  private yieldedAt = 0;

  constructor(
    private readonly model: tfl.LayersModel,
    private readonly dataset: Dataset,
    private readonly options: FitOptions,
    private readonly steps: number,
  ) {
    const { optimizer, learningRate, progress = onTerminal() } = options;
    this.optimizer = optimizer ?? adamW({ learningRate });
    if (progress) this.progress = new Progress(progress === true ? undefined : progress);
  }

  async train(): Promise<History> {
    await this.resume();
    const {
      signal,
      gradientAccumulation = 1,
      logEvery = 10,
      checkpoint,
      validationData,
    } = this.options;
    const source = this.source();
    this.startedAt = this.loggedAt = now();
    this.startedFrom = this.step;
    while (this.step < this.steps) {
      if (signal?.aborted) {
        this.history.stopped = 'aborted';
        break;
      }
      const batches: Batch[] = [];
      while (batches.length < gradientAccumulation) {
        const { value, done } = source.next();
        if (done) break;
        batches.push(value);
      }
      await this.trainStep(batches);
      const last = this.step === this.steps;
      const logs = last || this.step % logEvery === 0;
      const validates = validationData !== undefined && (last || this.validatesNow());
      if (logs) await this.log();
      if (validates) await this.validate(validationData);
      if (logs || validates) this.showProgress();
      if (checkpoint?.every !== undefined && this.step % checkpoint.every === 0) await this.save();
      await this.yieldToOthers();
    }
    await this.readPending();
    if (checkpoint && this.savedAt !== this.step && this.step > 0) await this.save();
    this.progress?.end();
    this.history.steps = this.step;
    this.history.epochs = this.epoch;
    return this.history;
  }

  dispose(): void {
    tf.dispose([this.pending.map(({ loss }) => loss), this.norm ?? []]);
    this.progress?.clear();
    if (this.options.optimizer === undefined) this.optimizer.dispose();
  }

  /** Batches from the current place on, epoch after epoch; keeps the place up to date. */
  private *source(): Generator<Batch, undefined> {
    const { batchesPerEpoch } = this.dataset;
    const { steps, epochs = 1 } = this.options;
    while (steps !== undefined || this.epoch < epochs) {
      for (const batch of this.dataset.batches(this.epoch, this.batch)) {
        this.batch++;
        if (this.batch === batchesPerEpoch) {
          this.epoch++;
          this.batch = 0;
        }
        yield batch;
        if (this.batch === 0) break;
      }
      assert(
        this.batch === 0,
        () =>
          `fit: the dataset must yield batchesPerEpoch=${batchesPerEpoch} batches an epoch, ` +
          `got ${this.batch} in epoch ${this.epoch}.`,
      );
    }
    return undefined;
  }

  private async trainStep(batches: Batch[]): Promise<void> {
    const { model, optimizer, options } = this;
    const { clipNorm, ignoreIndex = -100, onStep } = options;
    for (const batch of batches) assertBatchFits('fit', model, batch, ignoreIndex);
    const { loss, gradients, tokens } = computeGradients(model, batches, options);
    const learningRate = rateOf(optimizer);
    this.norm?.dispose();
    this.norm = undefined;
    if (clipNorm === undefined) optimizer.applyGradients(gradients);
    else if (isAdamW(optimizer)) {
      this.norm = globalNorm(Object.values(gradients));
      const scale = clipScale(this.norm, clipNorm);
      optimizer.applyGradients(gradients, scale);
      scale.dispose();
    } else {
      const clipped = clipByGlobalNorm(gradients, clipNorm);
      this.norm = clipped.norm;
      optimizer.applyGradients(clipped.gradients);
      tf.dispose(clipped.gradients);
    }
    tf.dispose(gradients);
    this.step++;
    this.history.tokens += tokens;
    this.pending.push({ loss, learningRate, tokens });
    if (onStep) {
      const { epoch, batch, step, norm } = this;
      await onStep({ step, epoch, batch, tokens, learningRate, loss, gradientNorm: norm });
    }
  }

  /** Reads the losses of the steps since the last log in one transfer, and refuses any that is not finite. */
  private async readPending(): Promise<{ losses: Float32Array; tokens: number }> {
    const { pending } = this;
    if (pending.length === 0) return { losses: new Float32Array(0), tokens: 0 };
    this.pending = [];
    const stacked = tf.tidy(() => tf.stack(pending.map(({ loss }) => loss)));
    tf.dispose(pending.map(({ loss }) => loss));
    const losses = (await stacked.data()) as Float32Array;
    stacked.dispose();
    const bad = losses.findIndex((loss) => !Number.isFinite(loss));
    assert(bad < 0, () => {
      const step = this.step - pending.length + bad + 1;
      return (
        `fit: the loss must stay finite, got ${losses[bad]} at step ${step} with learning rate ` +
        `${pending[bad].learningRate ?? 'unknown'}. Lower the learning rate, warm it up, or set clipNorm.`
      );
    });
    return { losses, tokens: pending.reduce((sum, { tokens }) => sum + tokens, 0) };
  }

  private async log(): Promise<void> {
    const learningRate = this.pending.at(-1)?.learningRate;
    const { losses, tokens } = await this.readPending();
    if (losses.length === 0) return;
    const gradientNorm = this.norm && (await this.norm.data())[0];
    const time = now();
    const entry: LogEntry = {
      step: this.step,
      epoch: this.epoch,
      loss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
      learningRate,
      gradientNorm,
      tokensPerSecond: (1000 * tokens) / Math.max(1e-3, time - this.loggedAt),
      seconds: (time - this.startedAt) / 1000,
    };
    this.history.log.push(entry);
    if (this.options.onLog) {
      this.progress?.clear();
      await this.options.onLog(entry);
    }
    this.loggedAt = now();
  }

  private validatesNow(): boolean {
    const { validateEvery, gradientAccumulation = 1 } = this.options;
    if (validateEvery !== undefined) return this.step % validateEvery === 0;
    return this.batch < gradientAccumulation && this.epoch > 0;
  }

  private async validate(validationData: Dataset): Promise<void> {
    const { validationSteps, ignoreIndex, onValidation } = this.options;
    await this.readPending();
    const before = now();
    const { loss, tokens } = await evaluate(this.model, validationData, {
      ...(validationSteps !== undefined && { steps: validationSteps }),
      ...(ignoreIndex !== undefined && { ignoreIndex }),
    });
    const entry = { step: this.step, epoch: this.epoch, loss, tokens };
    this.history.validation.push(entry);
    if (onValidation) {
      this.progress?.clear();
      await onValidation(entry);
    }
    this.loggedAt += now() - before;
  }

  private showProgress(): void {
    const { log, validation } = this.history;
    const entry = log.at(-1);
    const pace = (now() - this.startedAt) / Math.max(1, this.step - this.startedFrom);
    this.progress?.update({
      step: this.step,
      steps: this.steps,
      loss: entry?.loss,
      tokensPerSecond: entry?.tokensPerSecond,
      validationLoss: validation.at(-1)?.loss,
      remaining: (pace * (this.steps - this.step)) / 1000,
    });
  }

  private async save(): Promise<void> {
    const { storage, keep = 2 } = this.options.checkpoint!;
    await this.readPending(); // a model that is lost must not replace a good checkpoint
    const { model, optimizer, step, epoch, batch } = this;
    const { fingerprint } = this.dataset;
    await saveCheckpoint(storage, { model, optimizer }, { step, epoch, batch, fingerprint }, keep);
    this.savedAt = step;
  }

  private async resume(): Promise<void> {
    const { resumeFrom, checkpoint } = this.options;
    if (resumeFrom === undefined) {
      const found = checkpoint ? await listCheckpoints(checkpoint.storage) : [];
      assert(
        found.length === 0,
        () =>
          `fit: checkpoint.storage must hold no checkpoints of another run, got ${found[found.length - 1]}. ` +
          "Go on from it with resumeFrom: 'latest', remove it with storage.remove(name), or give another storage.",
      );
      return;
    }
    const { model, optimizer } = this;
    const state = await loadCheckpoint(checkpoint!.storage, resumeFrom, { model, optimizer });
    assert(
      state.fingerprint === this.dataset.fingerprint,
      () =>
        `fit: the dataset must be the one of the checkpoint, ${state.fingerprint}, got ${this.dataset.fingerprint}. ` +
        'Use the same text and options, or load the weights with loadCheckpoint and start anew.',
    );
    ({ step: this.step, epoch: this.epoch, batch: this.batch } = state);
    this.savedAt = this.step;
  }

  /** Lets timers, signals and the page have their turn; not after every step where steps are short. */
  private async yieldToOthers(): Promise<void> {
    if (now() - this.yieldedAt < 8) return;
    await new Promise<void>((resolve) => {
      const { setImmediate: immediate } = globalThis as { setImmediate?: (f: () => void) => void };
      if (immediate) immediate(resolve);
      else setTimeout(resolve);
    });
    this.yieldedAt = now();
  }
}

function rateOf(optimizer: tf.Optimizer): number | undefined {
  const rate = (optimizer as { learningRate?: unknown }).learningRate;
  return typeof rate === 'number' ? rate : undefined;
}

function now(): number {
  return performance.now();
}
