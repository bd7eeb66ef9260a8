import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { GradientWatch } from './gradient_watch.js';

/** One step whose loss is still on the device. */
interface Pending {
  step: number;
  loss: tf.Scalar;
  learningRate: number | undefined;
  tokens: number;
}

/** What the steps since the last reading come to. */
export interface LossReading {
  /** Mean loss of the steps. */
  loss: number;
  /** Learning rate of the last one. */
  learningRate: number | undefined;
  /** Counted labels. */
  tokens: number;
}

/** Names the last good checkpoint, where there is one. */
type LastGood = () => Promise<string | undefined>;

/** The losses of the steps since they were last read; they are read in one transfer, and none may be lost. */
export class LossWindow {
  private pending: Pending[] = [];
  private readonly watch: GradientWatch;

  /**
   * @param weights Weights of the model, in its order.
   */
  constructor(weights: readonly tfl.LayerVariable[]) {
    this.watch = new GradientWatch(weights);
  }

  /**
   * Takes a step in.
   *
   * @param pending The step; its loss belongs to the window now.
   * @param gradients Its gradients, before they are freed.
   */
  add(pending: Pending, gradients: tf.NamedTensorMap): void {
    this.pending.push(pending);
    this.watch.add(pending.step, gradients);
  }

  /**
   * Reads the losses and begins anew.
   *
   * @param lastGood Names the checkpoint to go back to, for the error.
   * @returns What they come to; undefined where there was no step.
   * @throws Error when a loss is not finite, with the step, the gradient that went first, and the last good checkpoint.
   */
  async read(lastGood: LastGood): Promise<LossReading | undefined> {
    const { pending } = this;
    if (pending.length === 0) return undefined;
    this.pending = [];
    const stacked = tf.tidy(() => tf.stack(pending.map(({ loss }) => loss)));
    tf.dispose(pending.map(({ loss }) => loss));
    const losses = await stacked.data<'float32'>();
    stacked.dispose();
    const bad = losses.findIndex((loss) => !Number.isFinite(loss));
    if (bad >= 0) {
      const { step, learningRate = 'unknown' } = pending[bad];
      const first = await this.watch.firstBad();
      const origin =
        first === undefined || first.step >= step
          ? 'All gradients before it were finite.'
          : `The first gradient that was not finite is that of '${first.weight}', at step ${first.step}.`;
      throw new Error(
        `fit: the loss must stay finite, got ${losses[bad]} at step ${step} with learning rate ${learningRate}. ` +
          `${origin} ${await advice(lastGood)}`,
      );
    }
    this.watch.forget();
    return {
      loss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
      learningRate: pending.at(-1)!.learningRate,
      tokens: pending.reduce((sum, { tokens }) => sum + tokens, 0),
    };
  }

  /**
   * Checks the gradients of the last step, whose loss came before them: a model that they spoilt must not be saved.
   *
   * @param lastGood Names the checkpoint to go back to, for the error.
   * @throws Error when one is not finite, with the step, its weight, and the last good checkpoint.
   */
  async assertGradientsFinite(lastGood: LastGood): Promise<void> {
    const first = await this.watch.firstBad();
    if (first === undefined) return;
    throw new Error(
      `fit: gradients must stay finite, got one that is not for '${first.weight}' at step ${first.step}. ` +
        (await advice(lastGood)),
    );
  }

  /** Frees what has not been read. */
  dispose(): void {
    tf.dispose(this.pending.map(({ loss }) => loss));
    this.watch.dispose();
  }
}

async function advice(lastGood: LastGood): Promise<string> {
  const name = await lastGood();
  return (
    (name === undefined
      ? 'There is no checkpoint to go back to. '
      : `The last good checkpoint is ${name}. `) +
    'Lower the learning rate, warm it up, or set clipNorm.'
  );
}
