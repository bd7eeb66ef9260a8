/** What a transformer block can be told: one description for all the layers that are such a block. */
import type { ActivationName } from '../ops/activation.js';
import type { ArgumentLayerArgs } from './argument_layer.js';
import type { RotaryConfig } from './rotary_scaling.js';
import type { EmptyRows } from './empty_rows.js';
import type { Identifier, Initializer } from './weight_options.js';

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
  /** Of each part. Default `layer`. */
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
  /** What a query gets that may look at nothing: `zero`, or the `mean` of all values. Default `zero`. */
  emptyRows?: EmptyRows;
  /** Of the attention probabilities and of the output of each part. Default 0. */
  dropout?: number;
  /** Of the attention probabilities. Default: `dropout`. */
  attentionDropout?: number | null;
  /** Whether a token sees only those before it. Default false. */
  useCausalMask?: boolean;
  /** Return [output, scores of the self-attention]. Default false. */
  returnAttentionScores?: boolean;
  /**
   * In training, forget what the block computes and compute it again for the gradients: the same numbers with less
   * memory in more time (Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016). Default false.
   */
  gradientCheckpointing?: boolean;
  /** Default `glorotUniform`. */
  kernelInitializer?: Identifier<Initializer>;
  /** Default `zeros`. */
  biasInitializer?: Identifier<Initializer>;
  /** Of the kernels whose output is added to the residual stream. Default: `kernelInitializer`. */
  residualInitializer?: Identifier<Initializer> | null;
  /** Seed of the dropout. Default: a random one. */
  seed?: number | null;
}

/** How the parts of a block are called and ordered; keras-hub's encoder and decoder differ in that. */
export interface BlockLayout {
  /** Name of the self-attention. */
  selfAttention: 'self_attention' | 'self_attention_layer';
  /** Whether the weights of the feed-forward's norm come before those of the feed-forward. */
  normFirstInWeights: boolean;
  /** Whether a head may be smaller than D / numHeads, rounded down. */
  roundsHeadsDown: boolean;
}
