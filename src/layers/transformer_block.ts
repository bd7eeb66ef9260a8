import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { and } from '../masks/and.js';
import type { ActivationName } from '../ops/activation.js';
import { dropout } from '../ops/dropout.js';
import { assert, assertInteger, assertNumber } from '../util/errors.js';
import { RandomStream } from '../util/random.js';
import {
  ArgumentLayer,
  type ArgumentLayerArgs,
  type CallArguments,
  type Signature,
} from './argument_layer.js';
import { dense, type Dense } from './dense.js';
import { groupedQueryAttention } from './grouped_query_attention.js';
import { layerNormalization } from './layer_normalization.js';
import { multiHeadAttention } from './multi_head_attention.js';
import type { ProjectedAttention, RotaryConfig } from './projected_attention.js';
import { rmsNormalization } from './rms_normalization.js';
import { knowingOptions } from './single_input_layer.js';
import {
  initializer,
  reseeded,
  serialized,
  type Identifier,
  type Initializer,
} from './weight_options.js';

/** Options of `transformerBlock`. */
export interface TransformerBlockArgs extends ArgumentLayerArgs {
  /** N, number of query heads. */
  numHeads: number;
  /** K, number of key/value heads. Default: `numHeads`. */
  numKeyValueHeads?: number | null;
  /** H. Default: D / numHeads. */
  headDim?: number | null;
  /** F, width of the feed-forward layer. */
  intermediateDim: number;
  /** Default `layer`. */
  normalization?: 'layer' | 'rms';
  /** Default 1e-5 for `layer`, 1e-6 for `rms`. */
  normEpsilon?: number | null;
  /** Normalise before each part (true) or after its residual (false). Default true. */
  normFirst?: boolean;
  /** Default `geluApproximate`, the tanh form. */
  activation?: ActivationName;
  /** Whether the feed-forward layer is gated: activation(gate(x)) ∘ intermediate(x). Default false. */
  gated?: boolean;
  /** Whether the projections of attention have biases. Default true. */
  attentionBias?: boolean;
  /** Whether the feed-forward layers have biases. Default true. */
  mlpBias?: boolean;
  /** RMS-normalise each head of query and key. Default false. */
  qkNorm?: boolean;
  /** Rotary positions. Default none. */
  rotary?: RotaryConfig | boolean | null;
  /** Attention with linear biases. Default false. */
  alibi?: boolean;
  /** Sliding window. Default none. */
  window?: number | null;
  /** Soft cap of the attention scores. Default none. */
  softCap?: number | null;
  /** Of the attention probabilities and of the output of each part. Default 0. */
  dropout?: number;
  /** Whether a token sees only those before it. Default false. */
  useCausalMask?: boolean;
  /** Default `glorotUniform`. */
  kernelInitializer?: Identifier<Initializer>;
  /** Of the two kernels whose output is added to the residual stream. Default: `kernelInitializer`. */
  residualInitializer?: Identifier<Initializer> | null;
  /** Seed of the dropout. Default: a random one. */
  seed?: number | null;
}

const TENSORS = ['query', 'paddingMask', 'keyMask', 'attentionMask', 'positions', 'segmentIds'];

/** Places of the feed-forward kernels among those that share an initializer, after the five of attention. */
const [INTERMEDIATE, GATE, OUTPUT] = [5, 6, 7];

/**
 * A transformer block: self-attention and a feed-forward layer, each with a normalisation and a residual connection.
 *
 *     normFirst:  x = x + Attention(Norm₁(x));   x = x + FeedForward(Norm₂(x))      (GPT-2, Llama)
 *     otherwise:  x = Norm₁(x + Attention(x));   x = Norm₂(x + FeedForward(x))      (the first Transformer, BERT)
 *
 *     FeedForward(x) = output(activation(intermediate(x))),  or  output(activation(gate(x)) ∘ intermediate(x)) when gated
 *
 * Input [B, T, D]; masks and positions by name or through `inputs`: `paddingMask` [B, T], `attentionMask` as for
 * `multiHeadAttention`, `positions` [B, T] (rotary), `segmentIds` [B, T]. Output [B, T, D].
 *
 * Weights, in order: `self_attention/…`, `self_attention_layer_norm/…`, `feedforward_intermediate_dense/…`,
 * (`feedforward_gate_dense/…`), `feedforward_output_dense/…`, `feedforward_layer_norm/…` (keras-hub's decoder).
 */
export class TransformerBlock extends ArgumentLayer {
  /** Name under which saved models find the class. */
  static readonly className = 'TransformerBlock';

  private readonly args: TransformerBlockArgs;
  private readonly kernelInitializer: Initializer;
  private readonly residualInitializer: Initializer | null;
  private readonly rate: number;
  private readonly normFirst: boolean;

  // Sub-layers; they are made in `build`, because the width is known only there.
  private attention!: ProjectedAttention;
  private attentionNorm!: tfl.layers.Layer;
  private intermediate!: Dense;
  private gate: Dense | null = null;
  private output_!: Dense;
  private feedForwardNorm!: tfl.layers.Layer;

  /** @param args See `TransformerBlockArgs`. */
  constructor(args: TransformerBlockArgs) {
    super(args);
    const where = 'TransformerBlock';
    assertInteger(where, 'numHeads', args.numHeads);
    assertInteger(where, 'intermediateDim', args.intermediateDim);
    this.rate = assertNumber(where, 'dropout', args.dropout ?? 0, 0, 1);
    this.normFirst = args.normFirst ?? true;
    this.kernelInitializer = initializer(where, args.kernelInitializer ?? 'glorotUniform');
    this.residualInitializer = args.residualInitializer
      ? initializer(where, args.residualInitializer)
      : null;
    this.args = args;
    this.randomStream = new RandomStream(args.seed);
  }

  protected override signature(): Signature {
    return { tensors: TENSORS, positional: 1, flags: ['useCausalMask'] };
  }

  protected override buildFrom({ query }: Record<string, tfl.Shape>): void {
    const { args } = this;
    const D = query[query.length - 1]!;
    assert(
      Boolean(args.headDim) || D % args.numHeads === 0,
      () =>
        `${this.name}: numHeads must divide the width, got numHeads=${args.numHeads}, width=${D}. Or give headDim.`,
    );
    this.attention = this.track(this.makeAttention(args.headDim ?? D / args.numHeads));
    this.attentionNorm = this.track(this.makeNorm('self_attention_layer_norm'));
    const widen = { units: args.intermediateDim, useBias: args.mlpBias ?? true };
    const { activation = 'geluApproximate', gated = false } = args;
    this.intermediate = this.track(
      dense({
        ...widen,
        name: 'feedforward_intermediate_dense',
        activation: gated ? 'linear' : activation,
        kernelInitializer: reseeded(this.kernelInitializer, INTERMEDIATE),
      }),
    );
    if (gated) {
      this.gate = this.track(
        dense({
          ...widen,
          name: 'feedforward_gate_dense',
          activation,
          kernelInitializer: reseeded(this.kernelInitializer, GATE),
        }),
      );
    }
    this.output_ = this.track(
      dense({
        name: 'feedforward_output_dense',
        units: D,
        useBias: args.mlpBias ?? true,
        kernelInitializer: reseeded(this.residualInitializer ?? this.kernelInitializer, OUTPUT),
      }),
    );
    this.feedForwardNorm = this.track(this.makeNorm('feedforward_layer_norm'));
    for (const layer of this.subLayers) {
      this.buildSubLayer(
        layer,
        layer === this.output_ ? [...query.slice(0, -1), args.intermediateDim] : query,
      );
    }
  }

  private makeAttention(headDim: number): ProjectedAttention {
    const { args } = this;
    const shared = {
      name: 'self_attention',
      dropout: this.rate,
      useBias: args.attentionBias ?? true,
      slidingWindow: args.window ?? null,
      useCausalMask: this.flag('useCausalMask'),
      rotary: args.rotary ?? null,
      alibi: args.alibi ?? false,
      qkNorm: args.qkNorm ?? false,
      softCap: args.softCap ?? null,
      kernelInitializer: this.kernelInitializer,
      outputInitializer: this.residualInitializer,
      // A stream of its own, so that attention and residual dropout differ.
      seed: this.randomStream!.seed + 1,
    };
    const numKeyValueHeads = args.numKeyValueHeads ?? args.numHeads;
    return numKeyValueHeads === args.numHeads
      ? multiHeadAttention({ ...shared, numHeads: args.numHeads, keyDim: headDim })
      : groupedQueryAttention({
          ...shared,
          numQueryHeads: args.numHeads,
          numKeyValueHeads,
          headDim,
        });
  }

  private makeNorm(name: string): tfl.layers.Layer {
    const { normalization = 'layer', normEpsilon } = this.args;
    return normalization === 'layer'
      ? layerNormalization({ name, epsilon: normEpsilon ?? 1e-5 })
      : rmsNormalization({ name, epsilon: normEpsilon ?? 1e-6 });
  }

  protected override compute(tensors: Record<string, tf.Tensor>, kwargs: CallArguments): tf.Tensor {
    const { query, ...others } = tensors;
    const given = { ...kwargs, ...others, ...this.keyMaskOf(tensors, kwargs) };
    const attend = (x: tf.Tensor): tf.Tensor => this.attention.apply(x, given) as tf.Tensor;
    const x = this.residual(query, attend, this.attentionNorm, kwargs);
    return this.residual(x, (h) => this.feedForward(h), this.feedForwardNorm, kwargs);
  }

  /** Masks of keys from the graph and from the call all hold: their AND, [B, T]. */
  private keyMaskOf(
    { query, paddingMask, keyMask }: Record<string, tf.Tensor>,
    kwargs: CallArguments,
  ): CallArguments {
    const called = kwargs.paddingMask as tf.Tensor | undefined;
    const given = [...new Set([paddingMask, keyMask, called])].filter(
      (mask) => mask as unknown,
    ) as tf.Tensor[];
    if (given.length < 2) return {};
    const [B, T] = query.shape;
    return {
      paddingMask: and(...given.map((mask) => tf.reshape(mask, [B, T]))),
      keyMask: undefined,
    };
  }

  private feedForward(x: tf.Tensor): tf.Tensor {
    const wide = this.intermediate.apply(x) as tf.Tensor;
    return this.output_.apply(
      this.gate ? tf.mul(this.gate.apply(x) as tf.Tensor, wide) : wide,
    ) as tf.Tensor;
  }

  /** One part of the block with its normalisation, dropout and residual connection. */
  private residual(
    x: tf.Tensor,
    part: (x: tf.Tensor) => tf.Tensor,
    norm: tfl.layers.Layer,
    { training }: CallArguments,
  ): tf.Tensor {
    const added = part(this.normFirst ? (norm.apply(x) as tf.Tensor) : x);
    const dropped =
      training && this.rate > 0
        ? dropout(added, this.rate, { seed: this.randomStream!, training: true })
        : added;
    const sum = tf.add(x, dropped);
    return this.normFirst ? sum : (norm.apply(sum) as tf.Tensor);
  }

  protected override outputShapeFrom({ query }: Record<string, tfl.Shape>): tfl.Shape {
    return query;
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { args } = this;
    return {
      ...super.getConfig(),
      numHeads: args.numHeads,
      numKeyValueHeads: args.numKeyValueHeads ?? null,
      headDim: args.headDim ?? null,
      intermediateDim: args.intermediateDim,
      normalization: args.normalization ?? 'layer',
      normEpsilon: args.normEpsilon ?? null,
      normFirst: this.normFirst,
      activation: args.activation ?? 'geluApproximate',
      gated: args.gated ?? false,
      attentionBias: args.attentionBias ?? true,
      mlpBias: args.mlpBias ?? true,
      qkNorm: args.qkNorm ?? false,
      rotary: (args.rotary ?? null) as tf.serialization.ConfigDict | null,
      alibi: args.alibi ?? false,
      window: args.window ?? null,
      softCap: args.softCap ?? null,
      dropout: this.rate,
      kernelInitializer: serialized(this.kernelInitializer),
      residualInitializer: serialized(this.residualInitializer),
      seed: args.seed ?? null,
    };
  }
}
tf.serialization.registerClass(TransformerBlock);

/**
 * Makes a `TransformerBlock` layer.
 *
 * @param args See `TransformerBlockArgs`.
 * @returns The layer.
 */
export function transformerBlock(args: TransformerBlockArgs): TransformerBlock {
  return knowingOptions(new TransformerBlock(args), args, ['inputs']);
}
