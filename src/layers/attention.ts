import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { assert, describe } from '../util/errors.js';
import { CALL_OPTIONS } from './argument_layer.js';
import {
  KerasAttention,
  type FlatInputs,
  type KerasAttentionArgs,
  type Scores,
} from './keras_attention.js';
import { knowingOptions } from './single_input_layer.js';
import { initializer } from './weight_options.js';

/** Options of `attention`, as in Keras. */
export interface AttentionArgs extends KerasAttentionArgs {
  /** Whether scores are multiplied by a learned number. Default false. */
  useScale?: boolean;
  /** `dot`: query·key. `concat`: w·Σ tanh(scale·(query + key)). Default `dot`. */
  scoreMode?: 'dot' | 'concat';
}

/**
 * Attention without projections (Luong et al., "Effective Approaches to Attention-based Neural Machine Translation",
 * 2015; Keras' `Attention`).
 *
 *     output = softmax(scale·query·keyᵀ + M)·value          there is no 1/√D
 *
 * Inputs in Keras' order: `apply([query [B, T, D], value [B, S, Dv]])` or `apply([query, value, key [B, S, D]])`; more axes
 * in front are batch axes. Output [B, T, Dv], or [output, scores [B, T, S]] with `returnAttentionScores`.
 *
 * `valueMask` [B, S] hides keys, `queryMask` [B, T] makes rows of the output 0 (scores stay); both by name or through
 * `inputs`, or as Keras' `mask: [queryMask, valueMask]`. Beyond Keras, whose result there is the mean of all values: a query
 * that sees nothing gives 0. Scores are the probabilities before dropout.
 *
 * Weights: `scale` with `useScale`, `concat_score_weight` with `scoreMode: 'concat'`, both numbers, 1 at first.
 */
export class Attention extends KerasAttention {
  /** Name under which saved models find the class. */
  static readonly className = 'Attention';

  private readonly useScale: boolean;
  private readonly scoreMode: 'dot' | 'concat';
  private scale: tfl.LayerVariable | null = null;
  private concatScoreWeight: tfl.LayerVariable | null = null;

  /** @param args See `AttentionArgs`. */
  constructor(args: AttentionArgs = {}) {
    super(args);
    this.useScale = args.useScale ?? false;
    this.scoreMode = args.scoreMode ?? 'dot';
    assert(
      ['dot', 'concat'].includes(this.scoreMode),
      () =>
        `Attention: scoreMode must be 'dot' or 'concat', got scoreMode=${describe(this.scoreMode)}.`,
    );
  }

  protected override buildFrom(shapes: Record<string, tfl.Shape>): void {
    super.buildFrom(shapes);
    const ones = initializer(this.name, 'ones');
    if (this.useScale) this.scale = this.addWeight('scale', [], 'float32', ones);
    if (this.scoreMode === 'concat') {
      this.concatScoreWeight = this.addWeight('concat_score_weight', [], 'float32', ones);
    }
  }

  protected override scoresOf({ query, key }: FlatInputs): Scores {
    if (this.scoreMode === 'dot') {
      return { dot: { query: this.scale ? tf.mul(query, this.scale.read()) : query, key } };
    }
    const sums = tf.add(tf.expandDims(query, 2), tf.expandDims(key, 1)); // [B', T, S, D]
    const scaled = this.scale ? tf.mul(sums, this.scale.read()) : sums;
    return { bias: tf.mul(tf.sum(tf.tanh(scaled), -1), this.concatScoreWeight!.read()) };
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), useScale: this.useScale, scoreMode: this.scoreMode };
  }
}
tf.serialization.registerClass(Attention);

/**
 * Makes an `Attention` layer.
 *
 * @param args See `AttentionArgs`.
 * @returns The layer.
 */
export function attention(args: AttentionArgs = {}): Attention {
  return knowingOptions(new Attention(args), args, CALL_OPTIONS);
}
