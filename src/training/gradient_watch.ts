import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { tensorSums } from '../ops/tensor_sums.js';
import { plainWeightName } from './weight_names.js';

/**
 * Remembers of recent steps whether their gradients were finite, one number a gradient, still on the device. Only when
 * a loss turns out not to be finite are they read: the sum of a gradient is finite exactly when all of it is (but for
 * sums beyond 3·10³⁸).
 */
export class GradientWatch {
  private steps: { step: number; names: string[]; sums: tf.Tensor1D }[] = [];

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
    const names = Object.keys(gradients);
    if (names.length > 0)
      this.steps.push({ step, names, sums: tensorSums(Object.values(gradients)) });
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
    for (const { step, names, sums } of this.steps) {
      const values = await sums.data();
      const bad = new Set(names.filter((_, i) => !Number.isFinite(values[i])));
      const weight = [...this.weights].reverse().find(({ name }) => bad.has(name));
      if (weight) return { step, weight: plainWeightName(weight.originalName) };
    }
    return undefined;
  }
}
