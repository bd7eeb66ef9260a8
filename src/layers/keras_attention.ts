/**
 * What Keras' `Attention` and `AdditiveAttention` share: scores without projections, and what is done with them.
 */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { toBool } from '../masks/to_bool.js';
import { dotProductAttention } from '../ops/dot_product_attention.js';
import { assert, assertNumber } from '../util/errors.js';
import { RandomStream } from '../util/random.js';
import { shapeText, sizeOf } from '../util/shapes.js';
import { stopGradient } from '../util/stop_gradient.js';
import { ArgumentLayer, type ArgumentLayerArgs, type Signature } from './argument_layer.js';
import type { CallArguments } from './call_arguments.js';

/** Options that both layers take. */
export interface KerasAttentionArgs extends ArgumentLayerArgs {
  /** Share of the probabilities dropped in training. Default 0. */
  dropout?: number;
  /** Seed of the dropout. Default: a random one. */
  seed?: number | null;
  /** Every query sees only keys up to its own position. Default false. */
  useCausalMask?: boolean;
  /** Return [output, scores]. Default false. */
  returnAttentionScores?: boolean;
}

/** Query, value and key with all axes before the last two as one batch axis. */
export interface FlatInputs {
  /** [B', T, D] */
  query: tf.Tensor3D;
  /** [B', S, Dv] */
  value: tf.Tensor3D;
  /** [B', S, D] */
  key: tf.Tensor3D;
}

/** How the scores of a call are to be computed. */
export interface Scores {
  /** Query and key of a dot product, [B', T, E] and [B', S, E]; or nothing, when `bias` is all there is. */
  dot?: { query: tf.Tensor3D; key: tf.Tensor3D };
  /** Scores, [B', T, S]. */
  bias?: tf.Tensor3D;
}

const SIGNATURE: Signature = {
  tensors: ['query', 'value', 'key', 'queryMask', 'valueMask'],
  positional: 3,
  flags: ['useCausalMask', 'returnAttentionScores'],
  needsValue: true,
  carriedMasks: [
    { of: ['query'], as: 'queryMask', unless: [] },
    { of: ['value'], as: 'valueMask', unless: [] },
  ],
};

/** Attention without projections. */
export abstract class KerasAttention extends ArgumentLayer {
  private readonly dropout: number;
  private readonly seed: number | null;

  protected constructor(args: KerasAttentionArgs) {
    super(args);
    this.dropout = assertNumber(this.getClassName(), 'dropout', args.dropout ?? 0, 0, 1);
    this.seed = args.seed ?? null;
    this.randomStream = new RandomStream(this.seed);
  }

  protected override signature(): Signature {
    return SIGNATURE;
  }

  /** Scores of every query and key, from which the probabilities are made. */
  protected abstract scoresOf(inputs: FlatInputs): Scores;

  /**
   * Calls the layer.
   *
   * @param inputs [query, value] or [query, value, key], symbolic or not.
   * @param kwargs Masks and flags by name; Keras' `mask: [queryMask, valueMask]` is taken too.
   * @returns The output, or [output, scores].
   */
  override apply(
    inputs: Parameters<ArgumentLayer['apply']>[0],
    kwargs: CallArguments = {},
  ): ReturnType<ArgumentLayer['apply']> {
    if (!Array.isArray(kwargs.mask)) return super.apply(inputs, kwargs);
    const { mask, ...others } = kwargs;
    const [queryMask, valueMask] = mask as unknown[];
    return super.apply(inputs, { ...others, queryMask, valueMask });
  }

  protected override buildFrom(shapes: Record<string, tfl.Shape>): void {
    const { query, value } = shapes;
    assert(
      (value as tfl.Shape | undefined) !== undefined,
      () =>
        `${this.name}: must be called on a list of inputs, [query, value] or [query, value, key], got one input.`,
    );
    for (const [name, shape] of Object.entries({ query, value, key: shapes.key ?? value })) {
      assert(
        shape.length >= 3 && shape.length === query.length,
        () =>
          `${this.name}: ${name} must have ${name === 'query' ? '' : 'the rank of query, '}at least 3 axes, [B,T,D], ` +
          `got ${name}=${shapeText(shape)}.`,
      );
    }
    const D = query[query.length - 1];
    const key = shapes.key ?? value;
    assert(
      D === key[key.length - 1],
      () =>
        `${this.name}: query and key must have the same width, got query=${shapeText(query)}, key=${shapeText(key)}.`,
    );
  }

  protected override compute(
    { query, value, key = value, queryMask, valueMask }: Record<string, tf.Tensor>,
    kwargs: CallArguments,
  ): tf.Tensor | tf.Tensor[] {
    const lead = query.shape.slice(0, -2);
    const B = sizeOf(lead);
    const flat = (x: tf.Tensor): tf.Tensor3D => tf.reshape(x, [B, ...x.shape.slice(-2)] as never);
    const inputs = { query: flat(query), value: flat(value), key: flat(key) };
    const [T, S] = [inputs.query.shape[1], inputs.value.shape[1]];
    const { dot, bias } = this.scoresOf(inputs);
    const heads = (x: tf.Tensor3D): tf.Tensor4D => tf.expandDims(x, 2);
    const wanted = this.flag('returnAttentionScores', kwargs);
    const result = dotProductAttention(
      dot ? heads(dot.query) : tf.zeros([B, T, 1, 1]),
      dot ? heads(dot.key) : tf.zeros([B, S, 1, 1]),
      heads(inputs.value),
      {
        mask: (valueMask as unknown) ? this.positions(valueMask, 'valueMask', [B, 1, 1, S]) : null,
        bias: bias ? tf.reshape(bias, [B, 1, T, S]) : null,
        causal: this.flag('useCausalMask', kwargs),
        scale: 1,
        dropout: this.dropout,
        seed: this.randomStream!,
        training: Boolean(kwargs.training),
        returnScores: wanted,
      },
    );
    const { output, scores } =
      result instanceof tf.Tensor ? { output: result, scores: null } : result;
    let rows = tf.reshape(output, [B, T, inputs.value.shape[2]]);
    if (queryMask as unknown) {
      const real = this.positions(queryMask, 'queryMask', [B, T, 1]);
      const wide = stopGradient(() => tf.broadcastTo(real, rows.shape));
      rows = tf.where(wide, rows, tf.zerosLike(rows));
    }
    const shaped = tf.reshape(rows, [...lead, T, inputs.value.shape[2]]);
    return scores ? [shaped, tf.reshape(scores, [...lead, T, S])] : shaped;
  }

  /** A mask over positions as bool, in the shape that is needed. */
  private positions(mask: tf.Tensor, name: string, shape: number[]): tf.Tensor {
    assert(
      mask.size === sizeOf(shape),
      () =>
        `${this.name}: ${name} must be over the positions of ${name.replace('Mask', '')}, [B,T], ` +
        `got ${name}=${shapeText(mask.shape)}.`,
    );
    return tf.reshape(toBool(mask, this.name, name), shape);
  }

  protected override outputShapeFrom(shapes: Record<string, tfl.Shape>): tfl.Shape | tfl.Shape[] {
    const { query, value } = shapes;
    const output = [...query.slice(0, -1), value[value.length - 1]];
    if (!this.flag('returnAttentionScores')) return output;
    return [output, [...query.slice(0, -1), value[value.length - 2]]];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), dropout: this.dropout, seed: this.seed };
  }
}
