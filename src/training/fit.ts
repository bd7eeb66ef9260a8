import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { globalNorm } from '../ops/global_norm.js';
import { assert } from '../util/errors.js';
import { adamW, isAdamW } from './adam_w.js';
import { BatchSource } from './batch_source.js';
import type { Callback } from './callback.js';
import { bestName, listCheckpoints, loadCheckpoint, saveBestCheckpoint } from './checkpoint.js';
import { removeBestBut, saveCheckpoint, type TrainingState } from './checkpoint.js';
import { clipByGlobalNorm, clipScale } from './clip_by_global_norm.js';
import { computeGradients } from './compute_gradients.js';
import { applyConstraints } from './constraints.js';
import { assertBatchFits, type Batch, type Dataset } from './dataset.js';
import { BestValidation } from './early_stopping.js';
import { evaluate } from './evaluate.js';
import { checkFitOptions, type FitOptions } from './fit_options.js';
import type { History, LogEntry } from './history.js';
import { LossWindow, type LossReading } from './loss_window.js';
import { onTerminal, Progress } from './progress.js';
import { memoryStorage } from './storage.js';

/**
 * Trains a model: batches in, loss, gradients, one optimizer step after the other. Without the option `loss` it is the
 * next-token loss of a language model, which is also that of a classifier: softmax cross entropy of labels [...] and
 * logits [...,V].
 *
 *     const history = await fit(model, dataset, { learningRate: 3e-3, epochs: 3, progress: true });
 *
 * Against TensorFlow.js' own `model.fit` it adds ignored labels at no cost, gradient accumulation normalised by counted
 * labels, clipping, validation by labels, early stopping, checkpoints from which a run goes on to the last bit, and
 * stopping by signal. Constraints and regularizers of layers inside layers take effect, and frozen weights
 * (`training.freeze`) stay as they are. It reads the loss back only at log steps, and lets other work in between steps.
 *
 * @param model A model with one output, by default logits [...,V]; its inputs are taken from the dataset by their names.
 * @param dataset For example of `textDataset` or `arrayDataset`.
 * @param options See `FitOptions`.
 * @returns What was measured, and why it stopped.
 * @throws Error when the loss is no longer finite, with the step, the learning rate, the gradient that went first and
 * the last good checkpoint; when an input is missing.
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
  } catch (error) {
    await run.fail(error);
    throw error;
  } finally {
    await run.dispose();
  }
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
  private readonly best: BestValidation;
  private readonly window: LossWindow;
  private source: BatchSource;
  private step = 0;
  private savedAt = -1;
  /** Step of the best validation that the newest checkpoint refers to. */
  private savedBest: number | undefined;
  /** What a label stands for: one of many in a row, or the row's own. */
  private unit = 'tokens';
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
    const { optimizer, learningRate, progress = onTerminal(), earlyStopping } = options;
    this.optimizer = optimizer ?? adamW({ learningRate });
    this.best = new BestValidation(earlyStopping);
    this.window = new LossWindow(model.weights);
    this.source = this.sourceFrom({ epoch: 0, batch: 0 });
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
    this.startedAt = this.loggedAt = now();
    this.startedFrom = this.step;
    await this.tell('onStart', { step: this.step });
    while (!this.isOver) {
      if (signal?.aborted) {
        this.history.stopped = 'aborted';
        break;
      }
      await this.trainStep(await this.source.take(gradientAccumulation));
      const last = this.step === this.steps || this.source.finished;
      const logs = last || this.step % logEvery === 0;
      const validates = validationData !== undefined && (last || this.validatesNow());
      if (logs) await this.log();
      if (validates) await this.validate(validationData);
      if (logs || validates) this.showProgress();
      if (checkpoint?.every !== undefined && this.step % checkpoint.every === 0) await this.save();
      await this.yieldToOthers();
    }
    await this.readLosses();
    if (this.best.exhausted && this.history.stopped !== 'aborted') this.history.stopped = 'early';
    if (checkpoint && this.savedAt !== this.step && this.step > 0) await this.save();
    await this.restoreBest();
    this.progress?.end();
    this.history.steps = this.step;
    this.history.epochs = this.source.place.epoch;
    await this.tell('onEnd', this.history);
    return this.history;
  }

  /** Tells the callbacks that the run failed; what they throw in turn must not hide why. */
  async fail(error: unknown): Promise<void> {
    for (const callback of this.options.callbacks ?? []) {
      try {
        await callback.onEnd?.(this.history, error);
      } catch {
        continue;
      }
    }
  }

  async dispose(): Promise<void> {
    this.window.dispose();
    this.norm?.dispose();
    this.progress?.clear();
    if (this.options.optimizer === undefined) this.optimizer.dispose();
    await this.source.close();
  }

  private get isOver(): boolean {
    return this.step >= this.steps || this.source.finished || this.best.exhausted;
  }

  private sourceFrom(place: { epoch: number; batch: number }): BatchSource {
    const { steps, epochs = 1 } = this.options;
    return new BatchSource(this.dataset, steps === undefined ? epochs : Infinity, place);
  }

  private async trainStep(batches: Batch[]): Promise<void> {
    const { model, optimizer, options } = this;
    const { clipNorm, ignoreIndex = -100, loss: ownLoss, onStep } = options;
    for (const batch of batches) assertBatchFits('fit', model, batch, ownLoss ? null : ignoreIndex);
    this.unit = batches[0].labels.shape.length > 1 ? 'tokens' : 'examples';
    const { loss, gradients, tokens } = computeGradients(model, batches, options);
    const learningRate = rateOf(optimizer);
    this.step++;
    this.history.tokens += tokens;
    this.window.add({ step: this.step, loss, learningRate, tokens }, gradients);
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
    applyConstraints(model.trainableWeights);
    if (onStep) {
      const { step, norm } = this;
      const { epoch, batch } = this.source.place;
      await onStep({ step, epoch, batch, tokens, learningRate, loss, gradientNorm: norm });
    }
  }

  private readLosses(): Promise<LossReading | undefined> {
    return this.window.read(() => this.lastGood());
  }

  private async lastGood(): Promise<string | undefined> {
    const { checkpoint } = this.options;
    return checkpoint && (await listCheckpoints(checkpoint.storage)).at(-1);
  }

  private async log(): Promise<void> {
    const reading = await this.readLosses();
    if (reading === undefined) return;
    const gradientNorm = this.norm && (await this.norm.data())[0];
    const time = now();
    const entry: LogEntry = {
      step: this.step,
      epoch: this.source.place.epoch,
      loss: reading.loss,
      learningRate: reading.learningRate,
      gradientNorm,
      tokensPerSecond: (1000 * reading.tokens) / Math.max(1e-3, time - this.loggedAt),
      seconds: (time - this.startedAt) / 1000,
    };
    this.history.log.push(entry);
    await this.tell('onLog', entry, this.options.onLog);
    this.loggedAt = now();
  }

  private validatesNow(): boolean {
    const { validateEvery, gradientAccumulation = 1 } = this.options;
    if (validateEvery !== undefined) return this.step % validateEvery === 0;
    const { epoch, batch } = this.source.place;
    return batch < gradientAccumulation && epoch > 0;
  }

  private async validate(validationData: Dataset): Promise<void> {
    const { validationSteps, loss: ownLoss, ignoreIndex, metrics, onValidation } = this.options;
    await this.readLosses();
    const before = now();
    const measured = await evaluate(this.model, validationData, {
      ...(validationSteps !== undefined && { steps: validationSteps }),
      ...(ignoreIndex !== undefined && { ignoreIndex }),
      ...(ownLoss !== undefined && { loss: ownLoss }),
      ...(metrics !== undefined && { metrics }),
    });
    const entry = { step: this.step, epoch: this.source.place.epoch, ...measured };
    this.history.validation.push(entry);
    if (this.best.update(this.step, entry.loss)) await this.saveBest();
    const { step, loss } = this.best.state ?? entry;
    this.history.best = { step, loss };
    await this.tell('onValidation', entry, onValidation);
    this.loggedAt += now() - before;
  }

  /** Calls back: the function among the options, and the callbacks. The progress bar makes room for what they print. */
  private async tell<E extends 'onStart' | 'onLog' | 'onValidation' | 'onCheckpoint' | 'onEnd'>(
    event: E,
    about: Parameters<NonNullable<Callback[E]>>[0],
    own?: (about: never) => unknown,
  ): Promise<void> {
    const { callbacks = [] } = this.options;
    if (own) {
      this.progress?.clear();
      await own(about as never);
    }
    for (const callback of callbacks) {
      await (callback[event] as ((about: unknown) => unknown) | undefined)?.call(callback, about);
    }
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
      unit: this.unit,
      validationLoss: validation.at(-1)?.loss,
      remaining: (pace * (this.steps - this.step)) / 1000,
    });
  }

  private get state(): TrainingState {
    const { fingerprint } = this.dataset;
    return { step: this.step, ...this.source.place, fingerprint, best: this.best.state };
  }

  private async save(): Promise<void> {
    const { storage, keep = 2 } = this.options.checkpoint!;
    await this.readLosses(); // a model that is lost must not replace a good checkpoint
    await this.window.assertGradientsFinite(() => this.lastGood());
    const { model, optimizer, state } = this;
    const name = await saveCheckpoint(storage, { model, optimizer }, state, keep);
    // Later ones are of a run that this one went back behind; they must not be taken for the latest.
    for (const other of await listCheckpoints(storage)) {
      if (other > name) await storage.remove(other);
    }
    this.savedAt = this.step;
    this.savedBest = state.best?.step;
    if (this.bestStorage) await removeBestBut(storage, state.best ? [state.best.step] : []);
    await this.tell('onCheckpoint', { step: this.step, name });
  }

  /** Where the best model is kept, when it is; in memory where there are no checkpoints. */
  private readonly memory = memoryStorage();
  private get bestStorage(): ReturnType<typeof memoryStorage> | undefined {
    const { checkpoint, earlyStopping } = this.options;
    const restores = earlyStopping !== undefined && (earlyStopping.restoreBest ?? true);
    if (!restores && !checkpoint?.keepBest) return undefined;
    return checkpoint?.storage ?? this.memory;
  }

  private async saveBest(): Promise<void> {
    const { bestStorage, model, optimizer, state, savedBest } = this;
    if (bestStorage) {
      const parts = { model, ...(this.options.checkpoint && { optimizer }) };
      await saveBestCheckpoint(bestStorage, parts, state, savedBest);
    }
  }

  private async restoreBest(): Promise<void> {
    const { earlyStopping } = this.options;
    const { state } = this.best;
    if (!earlyStopping || !(earlyStopping.restoreBest ?? true)) return;
    if (this.history.stopped === 'aborted' || state === undefined || state.step === this.step)
      return;
    await loadCheckpoint(this.bestStorage!, bestName(state.step), { model: this.model });
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
    if (state.best && this.bestStorage) {
      const name = bestName(state.best.step);
      const names = await this.bestStorage.list();
      assert(
        names.includes(name),
        () =>
          `fit: the storage must hold the best checkpoint, ${name}, got ${names.join(', ')}. ` +
          'Go on without restoreBest and keepBest, or start anew.',
      );
    }
    this.step = this.savedAt = state.step;
    this.best.state = state.best;
    this.savedBest = state.best?.step;
    if (state.best) this.history.best = { step: state.best.step, loss: state.best.loss };
    this.source = this.sourceFrom(state);
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
