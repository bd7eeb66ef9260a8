import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { plainWeightName } from './weight_names.js';

/**
 * Remembers of recent steps whether their gradients were finite, one number a gradient, still on the device. Only when
 * a loss turns out not to be finite are they read: the sum of a gradient is finite exactly when all of it is (but for
 * sums beyond 3·10³⁸).
 */
export class GradientWatch {
  private steps: { step: number; sums: tf.NamedTensorMap }[] = [];

  /**
   * @param weights Weights of the model, in its order.
   */
  constructor(private readonly weights: readonly tfl.LayerVariable[]) {}

  /**
   * Remembers a step.
   *
   * @param step Its number.
   * @param gradients By name of the variable.
   */
  add(step: number, gradients: tf.NamedTensorMap): void {
    const sums = tf.tidy(() =>
      Object.fromEntries(
        Object.entries(gradients).map(([name, gradient]) => [name, tf.sum(gradient)]),
      ),
    );
    this.steps.push({ step, sums });
  }

  /** Forgets all steps but the last: its gradients show only in the next loss. */
  forget(): void {
    tf.dispose(this.steps.splice(0, this.steps.length - 1).map(({ sums }) => sums));
  }

  /** Frees everything. */
  dispose(): void {
    tf.dispose(this.steps.map(({ sums }) => sums));
    this.steps = [];
  }

  /**
   * The gradient that went first. Gradients are computed from the end of a model to its beginning, so of the first step
   * with a bad gradient it is that of the weight nearest to the end.
   *
   * @returns The step and the weight, or undefined where all gradients were finite.
   */
  async firstBad(): Promise<{ step: number; weight: string } | undefined> {
    for (const { step, sums } of this.steps) {
      for (const weight of [...this.weights].reverse()) {
        const sum = sums[weight.name];
        if (sum === undefined) continue;
        const [value] = await sum.data();
        if (!Number.isFinite(value)) return { step, weight: plainWeightName(weight.originalName) };
      }
    }
    return undefined;
  }
}
