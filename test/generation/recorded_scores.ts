/** Generation with the scores of every step, and how close scores have to be. */
import * as tf from '@tensorflow/tfjs';
import { generate, type GenerateOptions } from '../../src/generation/index.js';
import { expectClose } from '../support/expect_close.js';

/** Tolerance of scores that were computed in another way. */
export const near = { atol: 2e-4, rtol: 2e-4 };

/**
 * Generates.
 *
 * @returns Ids and, for each step and row, the scores.
 */
export async function recorded(
  model: tf.LayersModel,
  prompt: number[][],
  options: GenerateOptions = {},
): Promise<{ ids: number[][]; scores: Float32Array[][] }> {
  const scores: Float32Array[][] = [];
  const { ids } = await generate(model, prompt, {
    ...options,
    onStep: (info) => scores.push([...info.scores]),
  });
  return { ids, scores };
}

/** Compares the scores of a row; removed tokens must be the same ones. */
export function expectScores(got: Float32Array, expected: Float32Array): void {
  const finite = (row: Float32Array): Float32Array => row.map((x) => (x === -Infinity ? -9999 : x));
  tf.tidy(() => {
    expectClose(tf.tensor1d(finite(got)), tf.tensor1d(finite(expected)), near);
  });
}
