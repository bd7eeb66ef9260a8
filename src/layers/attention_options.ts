/** What the attention layers with projections can be told. */
import type { ArgumentLayerArgs } from './argument_layer.js';
import type { EmptyRows } from './empty_rows.js';
import type { RotaryConfig } from './rotary_scaling.js';
import type { Constraint, Identifier, Initializer, Regularizer } from './weight_options.js';

/** Options that both attention layers take. */
export interface ProjectedAttentionArgs extends ArgumentLayerArgs {
  /** Share of the probabilities dropped in training. Default 0. */
  dropout?: number;
  /** Whether projections have a bias. Default true. */
  useBias?: boolean;
  /** Whether sigmoid(gate(query)) multiplies the heads before the output projection. Default false. */
  useGate?: boolean;
  /** Window W: only keys with |i − j| < W; with a causal mask, keys i−W+1 … i. Default none. */
  slidingWindow?: number | null;
  /** Accepted for Keras' sake; which kernel runs is decided by the backend. */
  flashAttention?: boolean | null;
  /** Seed of the dropout. Default: a random one. */
  seed?: number | null;
  /** Default `glorotUniform`, with the fans of the matrix that the kernel stands for. */
  kernelInitializer?: Identifier<Initializer>;
  /** Default `zeros`. */
  biasInitializer?: Identifier<Initializer>;
  /** Default none. */
  kernelRegularizer?: Identifier<Regularizer> | null;
  /** Default none. */
  biasRegularizer?: Identifier<Regularizer> | null;
  /** Not supported by TensorFlow.js: an error when given. */
  activityRegularizer?: null;
  /** Default none. TensorFlow.js applies constraints only in optimizers of its own. */
  kernelConstraint?: Identifier<Constraint> | null;
  /** Default none. */
  biasConstraint?: Identifier<Constraint> | null;
  /** Every query sees only keys up to its own position. Default false. */
  useCausalMask?: boolean;
  /** Return [output, scores]. Default false. */
  returnAttentionScores?: boolean;
  /** Beyond Keras: rotate queries and keys by their positions. Default none. */
  rotary?: RotaryConfig | boolean | null;
  /** Beyond Keras: attention with linear biases. Default false. */
  alibi?: boolean;
  /** Beyond Keras: RMS-normalise each head of query and key, with a learned scale. Default false. */
  qkNorm?: boolean;
  /** Epsilon of `qkNorm`. Default 1e-6. */
  qkNormEpsilon?: number;
  /** Beyond Keras: scores become cap·tanh(score/cap). Default none. */
  softCap?: number | null;
  /**
   * Beyond Keras: what a query gets that may look at nothing, before the output projection: `zero`, or the `mean` of all
   * values, as Keras has it where it does not have to compute scores. Default `zero`.
   */
  emptyRows?: EmptyRows;
  /** Beyond Keras: initializer of the output projection. Default: `kernelInitializer`. */
  outputInitializer?: Identifier<Initializer> | null;
}

/** Options that `getConfig` leaves out while they are not used. */
export const OPTIONS_LEFT_OUT = [
  'inputs', 'useCausalMask', 'returnAttentionScores', 'flashAttention', 'rotary', 'alibi', 'qkNorm', 'qkNormEpsilon',
  'softCap', 'outputInitializer', 'emptyRows',
]; // prettier-ignore
