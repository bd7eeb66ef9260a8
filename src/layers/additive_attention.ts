import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { CALL_OPTIONS } from './argument_layer.js';
import {
  KerasAttention,
  type FlatInputs,
  type KerasAttentionArgs,
  type Scores,
} from './keras_attention.js';
import { knowingOptions } from './single_input_layer.js';
import { initializer } from './weight_options.js';

/** Options of `additiveAttention`, as in Keras. */
export interface AdditiveAttentionArgs extends KerasAttentionArgs {
  /** Whether features are weighted by a learned vector. Default true. */
  useScale?: boolean;
}

/**
 * Additive attention (Bahdanau et al., "Neural Machine Translation by Jointly Learning to Align and Translate", 2015;
 * Keras' `AdditiveAttention`).
 *
 *     scores[t, s] = Σ_d scale[d]·tanh(query[t, d] + key[s, d])          output = softmax(scores + M)·value
 *
 * Inputs, masks and outputs as for `Attention`. It holds [B, T, S, D] in memory.
 *
 * Weight: `scale` [D] with `useScale`, glorotUniform at first.
 */
export class AdditiveAttention extends KerasAttention {
  /** Name under which saved models find the class. */
  static readonly className = 'AdditiveAttention';

  private readonly useScale: boolean;
  private scale: tfl.LayerVariable | null = null;

  /** @param args See `AdditiveAttentionArgs`. */
  constructor(args: AdditiveAttentionArgs = {}) {
    super(args);
    this.useScale = args.useScale ?? true;
  }

  protected override buildFrom(shapes: Record<string, tfl.Shape>): void {
    super.buildFrom(shapes);
    const { query } = shapes;
    if (!this.useScale) return;
    const drawn = initializer(this.name, 'glorotUniform');
    this.scale = this.addWeight('scale', [query[query.length - 1]], 'float32', drawn);
  }

  protected override scoresOf({ query, key }: FlatInputs): Scores {
    const sums = tf.tanh(tf.add(tf.expandDims(query, 2), tf.expandDims(key, 1))); // [B', T, S, D]
    return { bias: tf.sum(this.scale ? tf.mul(sums, this.scale.read()) : sums, -1) };
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), useScale: this.useScale };
  }
}
tf.serialization.registerClass(AdditiveAttention);

/**
 * Makes an `AdditiveAttention` layer.
 *
 * @param args See `AdditiveAttentionArgs`.
 * @returns The layer.
 */
export function additiveAttention(args: AdditiveAttentionArgs = {}): AdditiveAttention {
  return knowingOptions(new AdditiveAttention(args), args, CALL_OPTIONS);
}
