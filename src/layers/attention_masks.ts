/** Masks of attention layers: what they are called with, and what of it the operation is given. */
import * as tf from '@tensorflow/tfjs-core';
import { and } from '../masks/and.js';
import { segments } from '../masks/segments.js';
import { toBool } from '../masks/to_bool.js';
import type { Signature } from './argument_layer.js';
import type { CallArguments } from './call_arguments.js';
import type { AttendedAxes } from './attended_axes.js';

/** What attention layers with projections can be called with. */
export const PROJECTED_SIGNATURE: Signature = {
  tensors: [
    'query', 'value', 'key', 'queryMask', 'valueMask', 'keyMask', 'attentionMask', 'paddingMask', 'positions', 'segmentIds',
  ], // prettier-ignore
  positional: 3,
  flags: ['useCausalMask', 'returnAttentionScores'],
  carriedMasks: [
    { of: ['query'], as: 'queryMask', unless: ['paddingMask'] },
    { of: ['value', 'query'], as: 'valueMask', unless: ['paddingMask'] },
    { of: ['key'], as: 'keyMask', unless: ['paddingMask'] },
  ],
};

/**
 * Masks other than those of keys: of queries, over scores, of segments.
 *
 * @param where Name of the layer, for errors.
 * @param axes Axes that are attended over.
 * @param tensors Arguments of the call.
 * @param scoresShape Shape of the scores.
 * @param cached Whether keys of earlier calls are attended over.
 * @returns Masks that broadcast to [B', N, T', S'].
 */
export function pairMasks(
  where: string,
  axes: AttendedAxes,
  { query, queryMask, attentionMask, segmentIds }: Record<string, tf.Tensor>,
  scoresShape: number[],
  cached: boolean,
): tf.Tensor[] {
  const masks: tf.Tensor[] = [];
  if (queryMask as unknown) {
    const mask = toBool(queryMask, where, 'queryMask');
    const flat = axes.flattenPositions(where, 'queryMask', mask, query.shape);
    masks.push(tf.reshape(flat, [flat.shape[0], 1, flat.shape[1], 1]));
  }
  if (attentionMask as unknown) {
    const mask = toBool(attentionMask, where, 'attentionMask');
    masks.push(axes.flattenMask(where, mask, scoresShape));
  }
  // A cache holds one document a row, and the segments of what it holds are not known.
  if ((segmentIds as unknown) && !cached) masks.push(segments(segmentIds));
  return masks;
}

/**
 * The AND of the masks of keys. Inside a graph the padding mask that the graph feeds and the one that `generate` passes to
 * the whole model both hold.
 *
 * @param where Name of the layer, for errors.
 * @param axes Axes that are attended over.
 * @param tensors Arguments of the call.
 * @param kwargs Call arguments of the whole model.
 * @param keyShape Shape of the key.
 * @returns [B', S'], or undefined when there is none.
 */
export function keyMaskOf(
  where: string,
  axes: AttendedAxes,
  tensors: Record<string, tf.Tensor>,
  kwargs: CallArguments,
  keyShape: number[],
): tf.Tensor2D | undefined {
  const given = ['valueMask', 'keyMask', 'paddingMask'].map(
    (name) => [name, tensors[name]] as const,
  );
  const called = kwargs.paddingMask as tf.Tensor | null | undefined;
  if (called && called !== tensors.paddingMask) given.push(['paddingMask', called]);
  const flat = given
    .filter(([, mask]) => mask as unknown)
    .map(([name, mask]) => axes.flattenPositions(where, name, toBool(mask, where, name), keyShape));
  return flat.length > 0 ? (and(...flat) as tf.Tensor2D) : undefined;
}
