/** What a step of AdamW is made of. */
import type * as tf from '@tensorflow/tfjs-core';

/** One weight and what belongs to it, all of one shape. */
export interface AdamWEntry {
  /** p */
  weight: tf.Variable;
  /** m, the first moment. */
  first: tf.Variable;
  /** v, the second moment. */
  second: tf.Variable;
  /** g */
  gradient: tf.Tensor;
  /** What a step leaves of the weight itself, 1 − learning rate · weight decay; 1 for a weight that doesn't decay. */
  keep: number;
}

/** Numbers of one step, the same for all weights. */
export interface AdamWStep {
  /** β₁ */
  beta1: number;
  /** β₂ */
  beta2: number;
  /** Learning rate · √(1 − β₂ᵗ)/(1 − β₁ᵗ). */
  rate: number;
  /** ε · √(1 − β₂ᵗ) */
  epsilon: number;
  /** s, multiplies every gradient; none means 1. */
  scale?: tf.Tensor | undefined;
}
