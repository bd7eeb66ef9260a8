import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { assert, assertInteger } from '../util/errors.js';
import { AttendedAxes } from './attended_axes.js';
import { OPTIONS_LEFT_OUT, type ProjectedAttentionArgs } from './attention_options.js';
import { ProjectedAttention } from './projected_attention.js';
import { knowingOptions } from './single_input_layer.js';

/** Options of `groupedQueryAttention`, as in Keras. */
export interface GroupedQueryAttentionArgs extends ProjectedAttentionArgs {
  /** H, size of each head. */
  headDim: number;
  /** N, number of query heads. */
  numQueryHeads: number;
  /** K, number of key/value heads; divides N. 1 is multi-query attention. */
  numKeyValueHeads: number;
}

/**
 * Grouped-query attention (Ainslie et al., "GQA", 2023; Keras' `GroupQueryAttention`): N query heads share K key/value
 * heads, query head n reads key head ⌊n·K/N⌋. Keys and values are not copied.
 *
 * Inputs, masks and outputs as for `MultiHeadAttention`; inputs of rank 3 only, output [B, T, D].
 *
 * Weights, in order: `query/kernel` [D, N, H], `query/bias` [N, H], `key/kernel` [D, K, H], `key/bias` [K, H],
 * (`gate/…` [D, N, H]), `value/kernel` [D, K, H], `value/bias` [K, H], `attention_output/kernel` [N, H, D],
 * `attention_output/bias` [D].
 */
export class GroupedQueryAttention extends ProjectedAttention {
  /** Keras' own name of the class in saved models; the constructor's name is registered too. */
  static readonly className = 'GroupQueryAttention';

  /** @param args See `GroupedQueryAttentionArgs`. */
  constructor(args: GroupedQueryAttentionArgs) {
    const where = 'GroupedQueryAttention';
    const keyDim = assertInteger(where, 'headDim', args.headDim);
    const numHeads = assertInteger(where, 'numQueryHeads', args.numQueryHeads);
    const numKeyValueHeads = assertInteger(where, 'numKeyValueHeads', args.numKeyValueHeads);
    assert(
      numHeads % numKeyValueHeads === 0,
      () =>
        `${where}: numQueryHeads must be a multiple of numKeyValueHeads, ` +
        `got numQueryHeads=${numHeads}, numKeyValueHeads=${numKeyValueHeads}.`,
    );
    super(args, { numHeads, numKeyValueHeads, keyDim, valueDim: keyDim });
  }

  protected override axes(rank: number): AttendedAxes {
    assert(rank === 3, () => `${this.name}: inputs must have rank 3, [B,T,D], got rank ${rank}.`);
    return new AttendedAxes(this.name, rank, null);
  }

  protected override outputSizes(queryShape: tfl.Shape): number[] {
    return [queryShape[queryShape.length - 1]!];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { numHeads, numKeyValueHeads, keyDim } = this.heads;
    return { ...super.getConfig(), headDim: keyDim, numQueryHeads: numHeads, numKeyValueHeads };
  }
}
tf.serialization.registerClass(GroupedQueryAttention);
// Keras writes the other spelling into H5 files.
tf.serialization.SerializationMap.getMap().classNameMap.GroupedQueryAttention =
  tf.serialization.SerializationMap.getMap().classNameMap.GroupQueryAttention;

/**
 * Makes a `GroupedQueryAttention` layer.
 *
 * @param args See `GroupedQueryAttentionArgs`.
 * @returns The layer.
 */
export function groupedQueryAttention(args: GroupedQueryAttentionArgs): GroupedQueryAttention {
  return knowingOptions(new GroupedQueryAttention(args), args, OPTIONS_LEFT_OUT);
}
