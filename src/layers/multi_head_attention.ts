import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { assert, assertInteger, describe } from '../util/errors.js';
import { AttendedAxes } from './attended_axes.js';
import { OPTIONS_LEFT_OUT, type ProjectedAttentionArgs } from './attention_options.js';
import { ProjectedAttention } from './projected_attention.js';
import { knowingOptions } from './single_input_layer.js';

/** Options of `multiHeadAttention`, as in Keras. */
export interface MultiHeadAttentionArgs extends ProjectedAttentionArgs {
  /** N, number of heads. */
  numHeads: number;
  /** H, size of each head of query and key. */
  keyDim: number;
  /** Size of each head of value. Default: `keyDim`. */
  valueDim?: number | null;
  /** Sizes that replace D in the output. Default: the width of the query. */
  outputShape?: number | number[] | null;
  /** Axes over which to attend; negative ones count from the end of the input. Default: all but batch and features. */
  attentionAxes?: number | number[] | null;
}

/**
 * Multi-head attention (Vaswani et al., 2017; Keras' `MultiHeadAttention`).
 *
 *     headₙ  = Attention(query·Wᵠₙ + bᵠₙ, key·Wᵏₙ + bᵏₙ, value·Wᵛₙ + bᵛₙ)        scores scaled by 1/√H
 *     output = Σₙ headₙ·Wᵒₙ + bᵒ
 *
 * Inputs, in Keras' order: `apply(query)` (self-attention), `apply([query, value])`, `apply([query, value, key])`;
 * query [B, T, D], value and key [B, S, D']. Output [B, T, D], or [output, scores [B, N, T, S]] with
 * `returnAttentionScores`. Scores are the probabilities before dropout.
 *
 * Masks, nonzero = may attend, all combined by AND: `queryMask` [B, T], `valueMask`, `keyMask`, `paddingMask` [B, S],
 * `attentionMask` [T, S], [B, T, S] or [B, N, T, S], `segmentIds` [B, T], `useCausalMask`, `slidingWindow`. A query
 * that sees nothing gives 0 before the output projection. Give them by name; inside `tf.model`, name them with the
 * constructor option `inputs` or pass symbolic tensors by name, which records it.
 *
 * Weights, in order: `query/kernel` [D, N, H], `query/bias` [N, H], `key/…`, (`gate/…` [D, N, Hv]), `value/…`,
 * `attention_output/kernel` [N, Hv, D], `attention_output/bias` [D].
 */
export class MultiHeadAttention extends ProjectedAttention {
  /** Name under which saved models find the class. */
  static readonly className = 'MultiHeadAttention';

  private readonly outputShapeOption: number[] | null;
  private readonly attentionAxes: number[] | null;

  /** @param args See `MultiHeadAttentionArgs`. */
  constructor(args: MultiHeadAttentionArgs) {
    const where = 'MultiHeadAttention';
    const numHeads = assertInteger(where, 'numHeads', args.numHeads);
    const keyDim = assertInteger(where, 'keyDim', args.keyDim);
    const valueDim = assertInteger(where, 'valueDim', args.valueDim ?? keyDim);
    super(args, { numHeads, numKeyValueHeads: numHeads, keyDim, valueDim });
    const shape = args.outputShape ?? null;
    this.outputShapeOption = typeof shape === 'number' ? [shape] : shape && [...shape];
    assert(
      this.outputShapeOption === null ||
        (Array.isArray(this.outputShapeOption) &&
          this.outputShapeOption.every((size) => Number.isInteger(size) && size > 0)),
      () =>
        `${where}: outputShape must be a positive integer or an array of them, got ${describe(args.outputShape)}.`,
    );
    const axes = args.attentionAxes ?? null;
    this.attentionAxes = typeof axes === 'number' ? [axes] : axes && [...axes];
  }

  protected override axes(rank: number): AttendedAxes {
    return new AttendedAxes(this.name, rank, this.attentionAxes);
  }

  protected override outputSizes(queryShape: tfl.Shape): number[] {
    return this.outputShapeOption ?? [queryShape[queryShape.length - 1]!];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { numHeads, keyDim, valueDim } = this.heads;
    return {
      ...super.getConfig(),
      numHeads,
      keyDim,
      valueDim,
      outputShape: this.outputShapeOption,
      attentionAxes: this.attentionAxes,
    };
  }
}
tf.serialization.registerClass(MultiHeadAttention);

/**
 * Makes a `MultiHeadAttention` layer.
 *
 * @param args See `MultiHeadAttentionArgs`.
 * @returns The layer.
 */
export function multiHeadAttention(args: MultiHeadAttentionArgs): MultiHeadAttention {
  return knowingOptions(new MultiHeadAttention(args), args, OPTIONS_LEFT_OUT);
}
