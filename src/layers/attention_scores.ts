import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { CallArguments } from './call_arguments.js';

/** Attention probabilities of the layers of a model, by the path of the layer (`block_0/attention`). */
export type AttentionScores = Map<string, tf.Tensor4D>;

/**
 * Runs a model once and hands out the attention probabilities of all its attention layers.
 *
 * @param model Any model with attention layers of this package.
 * @param inputs What `model.apply` takes.
 * @returns [B, N, T, S] by layer path, in the order of the layers; yours to dispose of.
 */
export function attentionScores(
  model: tfl.LayersModel,
  inputs: tf.Tensor | tf.Tensor[],
): AttentionScores {
  const scores: AttentionScores = new Map();
  tf.tidy(() => {
    model.apply(inputs, { training: false, scores }); // what the body does not return is disposed of
  });
  return scores;
}

/**
 * Hands the probabilities of one layer to whoever asked for them with the call argument `scores`.
 *
 * @param kwargs Call arguments.
 * @param layer The attention layer.
 * @param scores Its probabilities, if they were computed.
 */
export function collectScores(
  kwargs: CallArguments,
  layer: tfl.layers.Layer,
  scores: tf.Tensor4D | null,
): void {
  if (!(kwargs.scores instanceof Map) || !scores) return;
  const path = layer.weights[0].originalName.split('/').slice(0, -2).join('/');
  // Clone and keep: the call runs in a tidy.
  (kwargs.scores as AttentionScores).set(path, tf.keep(tf.clone(scores)));
}
