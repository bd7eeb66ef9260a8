import * as tf from '@tensorflow/tfjs';
import { layers } from 'tfjs-transformers';

/** One head of one attention layer, looked at over one sequence. */
export interface Head {
  /** Path of the layer in the model. */
  layer: string;
  /** Number of the head in the layer, from 0. */
  head: number;
  /** Who attends to whom, [T][S]. */
  weights: number[][];
  /** Mean weight that a letter gives to its favourite earlier letter. */
  sharpness: number;
}

/**
 * Runs a model over a sequence and picks the head with the clearest opinion about earlier letters. Attention of a letter
 * to itself and to the start token is how a head says "nothing for me here", so it doesn't count.
 *
 * @param model A causal language model.
 * @param ids A start token and at least two letters.
 * @returns The head.
 */
export async function sharpestHead(model: tf.LayersModel, ids: number[]): Promise<Head> {
  const input = tf.tensor2d([ids], [1, ids.length], 'int32');
  const scores = layers.attentionScores(model, input); // [1,N,T,S] by layer
  const heads: Head[] = [];
  for (const [layer, tensor] of scores) {
    const [perHead] = await tensor.array();
    perHead.forEach((weights, head) => {
      heads.push({ layer, head, weights, sharpness: sharpnessOf(weights) });
    });
  }
  tf.dispose([input, ...scores.values()]);
  return heads.reduce((best, other) => (other.sharpness > best.sharpness ? other : best));
}

function sharpnessOf(weights: number[][]): number {
  const favourites = weights.slice(2).map((row, i) => Math.max(...row.slice(1, i + 2)));
  return favourites.reduce((sum, weight) => sum + weight, 0) / Math.max(1, favourites.length);
}
