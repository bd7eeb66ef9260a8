import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { KVCache } from '../cache/kv_cache.js';
import { and } from '../masks/and.js';
import { segments } from '../masks/segments.js';
import { assertActivation } from '../ops/activation.js';
import { dropout } from '../ops/dropout.js';
import { residual } from '../ops/residual.js';
import { assert, assertInteger, assertNumber } from '../util/errors.js';
import { RandomStream } from '../util/random.js';
import { ArgumentLayer, CALL_OPTIONS, type Signature } from './argument_layer.js';
import type { CallArguments } from './call_arguments.js';
import type { BlockLayout, TransformerBlockArgs } from './block_options.js';
import {
  blockNorm,
  crossAttention,
  feedForward,
  selfAttention,
  type BlockInitializers,
  type FeedForward,
} from './block_parts.js';
import type { ProjectedAttention } from './projected_attention.js';
import { recomputed } from './recomputed.js';
import { knowingOptions } from './single_input_layer.js';
import { initializer, serialized } from './weight_options.js';

export type { TransformerBlockArgs } from './block_options.js';

const TENSORS = [
  'query', 'encoderSequence', 'paddingMask', 'keyMask', 'attentionMask', 'positions', 'segmentIds',
  'encoderPaddingMask', 'encoderAttentionMask', 'encoderSegmentIds',
]; // prettier-ignore

const LAYOUT: BlockLayout = {
  selfAttention: 'self_attention',
  normFirstInWeights: false,
  roundsHeadsDown: false,
};

/** What a block can be called with. */
export const BLOCK_SIGNATURE: Signature = {
  tensors: TENSORS,
  positional: 2,
  flags: ['useCausalMask', 'returnAttentionScores'],
  carriedMasks: [
    { of: ['query'], as: 'paddingMask', unless: ['keyMask'] },
    { of: ['encoderSequence'], as: 'encoderPaddingMask', unless: [] },
  ],
};

/**
 * A transformer block: self-attention, cross-attention when there is a sequence of an encoder, and a feed-forward
 * layer, each with a normalisation and a residual connection.
 *
 *     normFirst:  x = x + Attention(Norm₁(x));   (x = x + Cross(Norm₂(x), encoder));   x = x + FeedForward(Norm₃(x))
 *     otherwise:  x = Norm₁(x + Attention(x));   (x = Norm₂(x + Cross(x, encoder)));   x = Norm₃(x + FeedForward(x))
 *
 *     FeedForward(x) = output(activation(intermediate(x))),  or  output(activation(gate(x)) ∘ intermediate(x)) when gated
 *
 * The first order is that of GPT-2 and Llama, the second that of the first Transformer and of BERT.
 *
 * Input [B, T, D], and [B, S, E] of an encoder: `apply(x)`, `apply([x, encoderSequence])`. Masks and positions by name or
 * through `inputs`: `paddingMask` [B, T], `attentionMask` as for `multiHeadAttention`, `positions` [B, T] (rotary),
 * `segmentIds` [B, T]; `encoderPaddingMask` [B, S], `encoderAttentionMask` [T, S] or [B, T, S], `encoderSegmentIds` [B, S].
 * Output [B, T, D], or [output, scores [B, N, T, T]] with `returnAttentionScores`. With a `cache`, self-attention must be
 * causal, and the keys and values of the encoder's sequence are projected once.
 *
 * Weights, in order: `self_attention/…`, `self_attention_layer_norm/…`, (`cross_attention/…`,
 * `cross_attention_layer_norm/…`), `feedforward_intermediate_dense/…`, (`feedforward_gate_dense/…`),
 * `feedforward_output_dense/…`, `feedforward_layer_norm/…` (keras-hub's decoder).
 */
export class TransformerBlock extends ArgumentLayer {
  /** Name under which saved models find the class. */
  static readonly className: string = 'TransformerBlock';

  private readonly initializers: BlockInitializers;
  private readonly rate: number;
  private readonly normFirst: boolean;

  // Sub-layers; they are made in `build`, because the width is known only there.
  private attention!: ProjectedAttention;
  private attentionNorm!: tfl.layers.Layer;
  private cross: { attention: ProjectedAttention; norm: tfl.layers.Layer } | null = null;
  private parts!: FeedForward;
  private feedForwardNorm!: tfl.layers.Layer;

  /**
   * @param args See `TransformerBlockArgs`.
   * @param layout Names and order of the weights.
   */
  constructor(
    protected readonly args: TransformerBlockArgs,
    private readonly layout = LAYOUT,
  ) {
    super(args);
    const where = this.getClassName();
    assertInteger(where, 'numHeads', args.numHeads);
    assertInteger(where, 'intermediateDim', args.intermediateDim);
    assertActivation(where, args.activation ?? 'geluApproximate');
    this.rate = assertNumber(where, 'dropout', args.dropout ?? 0, 0, 1);
    this.normFirst = args.normFirst ?? true;
    const kernel = initializer(where, args.kernelInitializer ?? 'glorotUniform');
    this.initializers = {
      kernel,
      bias: initializer(where, args.biasInitializer ?? 'zeros'),
      residual: args.residualInitializer ? initializer(where, args.residualInitializer) : kernel,
    };
    this.randomStream = new RandomStream(args.seed);
  }

  protected override signature(): Signature {
    return BLOCK_SIGNATURE;
  }

  protected override buildFrom({ query, encoderSequence }: Record<string, tfl.Shape>): void {
    const { args, layout, initializers } = this;
    const described = { ...args, useCausalMask: this.flag('useCausalMask') };
    const D = query[query.length - 1]!;
    const headDim = args.headDim ?? Math.floor(D / args.numHeads);
    assert(
      Boolean(args.headDim) || (layout.roundsHeadsDown ? headDim > 0 : D % args.numHeads === 0),
      () =>
        `${this.name}: numHeads must ${layout.roundsHeadsDown ? 'not exceed' : 'divide'} the width, ` +
        `got numHeads=${args.numHeads}, width=${D}. Or give headDim.`,
    );
    // A stream of its own each, so that the dropouts differ.
    const { seed } = this.randomStream!;
    this.attention = this.track(
      selfAttention(layout.selfAttention, described, headDim, initializers, seed + 1),
    );
    this.attentionNorm = this.track(blockNorm('self_attention_layer_norm', args));
    if (encoderSequence as unknown) {
      const attention = this.track(crossAttention(args, headDim, initializers, seed + 2));
      const norm = this.track(blockNorm('cross_attention_layer_norm', args));
      this.cross = { attention, norm };
    }
    this.parts = feedForward(args, D, initializers);
    this.feedForwardNorm = blockNorm('feedforward_layer_norm', args);
    const { intermediate, gate, output } = this.parts;
    const order = [intermediate, ...(gate ? [gate] : []), output];
    const norm = this.feedForwardNorm;
    for (const layer of layout.normFirstInWeights ? [norm, ...order] : [...order, norm]) {
      this.track(layer);
    }
    for (const layer of this.subLayers) {
      if (layer === output)
        this.buildSubLayer(layer, [...query.slice(0, -1), args.intermediateDim]);
      else if (layer === this.cross?.attention) this.buildSubLayer(layer, query, encoderSequence);
      else this.buildSubLayer(layer, query);
    }
  }

  protected override compute(
    tensors: Record<string, tf.Tensor>,
    kwargs: CallArguments,
  ): tf.Tensor | tf.Tensor[] {
    const { gradientCheckpointing = false } = this.args;
    const forgets =
      gradientCheckpointing &&
      Boolean(kwargs.training) &&
      !(kwargs.cache ?? kwargs.scores) &&
      !this.flag('returnAttentionScores', kwargs);
    if (!forgets) return this.forward(tensors, kwargs);
    // Masks of the call may be gone when the gradients are computed: what is needed then has to be handed over.
    const called = Object.fromEntries(
      Object.entries(kwargs).filter(([, value]) => value instanceof tf.Tensor),
    ) as Record<string, tf.Tensor>;
    const variables = this.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const attentions = [this.attention, ...(this.cross ? [this.cross.attention] : [])];
    const streams = [this, ...attentions].map((layer) => layer.randomStream!);
    return recomputed([tensors, called], variables, streams, ([own, others]) => {
      const output = this.forward(own as Record<string, tf.Tensor>, { ...kwargs, ...others });
      return output as tf.Tensor;
    });
  }

  private forward(
    tensors: Record<string, tf.Tensor>,
    kwargs: CallArguments,
  ): tf.Tensor | tf.Tensor[] {
    const { query, encoderSequence, ...others } = tensors;
    const encoder = encoderSequence as tf.Tensor | undefined;
    assert(
      (this.cross === null) === (encoder === undefined),
      () =>
        `${this.name}: was built ${this.cross ? 'with' : 'without'} an encoderSequence, and is called ` +
        `${encoder ? 'with' : 'without'} one. Make a second layer.`,
    );
    const returnAttentionScores = this.flag('returnAttentionScores', kwargs);
    const useCausalMask = this.flag('useCausalMask', kwargs);
    const masks = this.keyMaskOf(tensors, kwargs);
    const given = { ...kwargs, ...others, ...masks, useCausalMask, returnAttentionScores };
    let scores: tf.Tensor | undefined;
    const attend = (h: tf.Tensor): tf.Tensor => {
      const result = this.attention.apply(h, given) as tf.Tensor | tf.Tensor[];
      if (!Array.isArray(result)) return result;
      scores = result[1];
      return result[0];
    };
    let x = this.residual(query, attend, this.attentionNorm, kwargs);
    if (this.cross && encoder) {
      const { attention, norm } = this.cross;
      const lookAt = this.crossArguments(tensors, kwargs);
      const source = tf.clone(encoder); // one place where its gradients meet, with checkpointing and without
      const look = (h: tf.Tensor): tf.Tensor => attention.apply([h, source], lookAt) as tf.Tensor;
      x = this.residual(x, look, norm, kwargs);
    }
    x = this.residual(x, (h) => this.feedForward(h), this.feedForwardNorm, kwargs);
    return scores ? [x, scores] : x;
  }

  /** Masks of keys from the graph and from the call all hold: their AND, [B, T]. */
  private keyMaskOf(
    { query, paddingMask, keyMask }: Record<string, tf.Tensor>,
    kwargs: CallArguments,
  ): CallArguments {
    const [B, T] = query.shape;
    const masks = [paddingMask, keyMask, kwargs.paddingMask];
    const several = new Set(masks.filter((mask) => mask)).size > 1;
    return several ? { paddingMask: conjunction(masks, [B, T]), keyMask: undefined } : {};
  }

  /** What the cross-attention is called with. The cache is there only to hold keys and values. */
  private crossArguments(
    { encoderSequence, segmentIds, ...masks }: Record<string, tf.Tensor>,
    { training, scores, cache, encoderPaddingMask }: CallArguments,
  ): CallArguments {
    const [B, S] = encoderSequence.shape;
    const valueMask = conjunction([masks.encoderPaddingMask, encoderPaddingMask], [B, S]);
    const over = [];
    const mask = masks.encoderAttentionMask as tf.Tensor | undefined;
    if (mask) over.push(mask.rank === 3 ? tf.expandDims(mask, 1) : mask);
    if ((masks.encoderSegmentIds as unknown) && (segmentIds as unknown)) {
      over.push(segments(segmentIds, masks.encoderSegmentIds));
    }
    return {
      training,
      ...(scores ? { scores } : {}),
      ...(cache instanceof KVCache ? { crossCache: cache } : {}),
      ...(valueMask ? { valueMask } : {}),
      ...(over.length > 0 ? { attentionMask: and(...over) } : {}),
    };
  }

  private feedForward(x: tf.Tensor): tf.Tensor {
    const { intermediate, gate, output } = this.parts;
    const wide = this.callSubLayer(intermediate, x);
    return this.callSubLayer(output, gate ? tf.mul(this.callSubLayer(gate, x), wide) : wide);
  }

  /** One part of the block with its normalisation, dropout and residual connection. */
  private residual(
    x: tf.Tensor,
    part: (x: tf.Tensor) => tf.Tensor,
    norm: tfl.layers.Layer,
    { training }: CallArguments,
  ): tf.Tensor {
    const added = part(this.normFirst ? this.callSubLayer(norm, x) : x);
    const dropped =
      training && this.rate > 0
        ? dropout(added, this.rate, { seed: this.randomStream!, training: true })
        : added;
    const sum = residual(x, dropped);
    return this.normFirst ? sum : this.callSubLayer(norm, sum);
  }

  protected override outputShapeFrom({
    query,
  }: Record<string, tfl.Shape>): tfl.Shape | tfl.Shape[] {
    if (!this.flag('returnAttentionScores')) return query;
    const [B, T] = query;
    return [query, [B, this.args.numHeads, T, T]];
  }

  /** Options of the configuration, beside those that every layer with arguments has. */
  protected options(): tf.serialization.ConfigDict {
    const { args, initializers } = this;
    return {
      numHeads: args.numHeads,
      numKeyValueHeads: args.numKeyValueHeads ?? null,
      headDim: args.headDim ?? null,
      intermediateDim: args.intermediateDim,
      normalization: args.normalization ?? 'layer',
      normEpsilon: args.normEpsilon ?? null,
      normFirst: this.normFirst,
      activation: camelCase(args.activation ?? 'geluApproximate'),
      gated: args.gated ?? false,
      attentionBias: args.attentionBias ?? true,
      mlpBias: args.mlpBias ?? true,
      qkNorm: args.qkNorm ?? false,
      rotary: (args.rotary ?? null) as tf.serialization.ConfigDict | null,
      alibi: args.alibi ?? false,
      window: args.window ?? null,
      softCap: args.softCap ?? null,
      emptyRows: args.emptyRows ?? 'zero',
      dropout: this.rate,
      attentionDropout: args.attentionDropout ?? null,
      kernelInitializer: serialized(initializers.kernel),
      biasInitializer: serialized(initializers.bias),
      residualInitializer: args.residualInitializer ? serialized(initializers.residual) : null,
      seed: args.seed ?? null,
      gradientCheckpointing: args.gradientCheckpointing ?? false,
    };
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.options() };
  }
}
tf.serialization.registerClass(TransformerBlock);

/** The AND of the masks that are given, each reshaped; undefined when none is. */
function conjunction(masks: unknown[], shape: number[]): tf.Tensor | undefined {
  const given = [...new Set(masks)].filter((mask) => mask) as tf.Tensor[];
  if (given.length === 0) return undefined;
  const shaped = given.map((mask) => tf.reshape(mask, shape));
  return shaped.length === 1 ? shaped[0] : and(...shaped);
}

/** Saving makes strings snake case and loading makes them camel case: only camel case comes back as it was. */
export function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * Makes a `TransformerBlock` layer.
 *
 * @param args See `TransformerBlockArgs`.
 * @returns The layer.
 */
export function transformerBlock(args: TransformerBlockArgs): TransformerBlock {
  return knowingOptions(new TransformerBlock(args), args, CALL_OPTIONS);
}
