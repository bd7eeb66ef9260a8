/** The models that this page trains, and how. */
import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { models, training } from 'tfjs-transformers';
import type { TrainSettings } from './protocol.js';

type Size = TrainSettings['size'];

const SIZES = {
  small: { numLayers: 2, numHeads: 4, hiddenDim: 64, learningRate: 6e-3 },
  medium: { numLayers: 4, numHeads: 4, hiddenDim: 128, learningRate: 2e-3 },
};

/** Tokens of a row of running text; a longer line is cut. */
export const ROW = { text: 64, line: 128 };

/**
 * Makes a GPT with rotary positions, which has no longest text.
 *
 * @param size Its size.
 * @param options What depends on the text.
 */
export function makeModel(
  size: Size,
  options: { vocabularySize: number; padId?: number; seed: number },
): tfl.LayersModel {
  const { numLayers, numHeads, hiddenDim } = SIZES[size];
  return models.causalLM({
    ...{ numLayers, numHeads, hiddenDim, ...options },
    maxSequenceLength: ROW.line,
    position: 'rotary',
  });
}

/**
 * Makes the optimizer of a run.
 *
 * @param size The size of the model: larger ones take smaller steps.
 * @param steps Steps of the run, over which the learning rate rises and falls.
 */
export function makeOptimizer(size: Size, steps: number): tf.Optimizer {
  return training.adamW({
    learningRate: training.schedules.warmupCosine({
      learningRate: SIZES[size].learningRate,
      warmupSteps: Math.min(50, Math.ceil(steps / 4)),
      totalSteps: steps,
    }),
    beta2: 0.99,
    weightDecay: 0.1,
  });
}
