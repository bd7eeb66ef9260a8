/** The parts of a transformer block, made from its description. */
import type * as tfl from '@tensorflow/tfjs-layers';
import type { TransformerBlockArgs } from './block_options.js';
import { dense, type Dense } from './dense.js';
import { groupedQueryAttention } from './grouped_query_attention.js';
import { layerNormalization } from './layer_normalization.js';
import { multiHeadAttention } from './multi_head_attention.js';
import type { ProjectedAttention } from './projected_attention.js';
import { rmsNormalization } from './rms_normalization.js';
import { reseeded, type Initializer } from './weight_options.js';

/** Initializers of a block, resolved. */
export interface BlockInitializers {
  /** Of kernels. */
  kernel: Initializer;
  /** Of biases. */
  bias: Initializer;
  /** Of kernels whose output is added to the residual stream. */
  residual: Initializer;
}

/** Places of kernels among those that share an initializer: five of self-attention, then these. */
const [INTERMEDIATE, GATE, OUTPUT, CROSS] = [5, 6, 7, 8];

/**
 * Makes the self-attention of a block.
 *
 * @param name Its name.
 * @param args Description of the block.
 * @param headDim H
 * @param initializers Resolved initializers.
 * @param seed Seed of the dropout.
 * @returns The layer.
 */
export function selfAttention(
  name: string,
  args: TransformerBlockArgs,
  headDim: number,
  initializers: BlockInitializers,
  seed: number,
): ProjectedAttention {
  const own = {
    slidingWindow: args.window ?? null,
    useCausalMask: args.useCausalMask ?? false,
    rotary: args.rotary ?? null,
    alibi: args.alibi ?? false,
  };
  return attention(name, args, headDim, initializers, { ...own, seed });
}

/**
 * Makes the cross-attention of a block: as its self-attention, but with no order of its keys.
 *
 * @param args Description of the block.
 * @param headDim H
 * @param initializers Resolved initializers.
 * @param seed Seed of the dropout.
 * @returns The layer.
 */
export function crossAttention(
  args: TransformerBlockArgs,
  headDim: number,
  { kernel, bias, residual }: BlockInitializers,
  seed: number,
): ProjectedAttention {
  const own = {
    kernel: reseeded(kernel, CROSS),
    bias,
    residual: reseeded(residual, CROSS),
  };
  return attention('cross_attention', args, headDim, own, { seed });
}

function attention(
  name: string,
  args: TransformerBlockArgs,
  headDim: number,
  { kernel, bias, residual }: BlockInitializers,
  more: object,
): ProjectedAttention {
  const shared = {
    name,
    dropout: args.attentionDropout ?? args.dropout ?? 0,
    useBias: args.attentionBias ?? true,
    qkNorm: args.qkNorm ?? false,
    ...(args.normEpsilon && args.normalization === 'rms'
      ? { qkNormEpsilon: args.normEpsilon }
      : {}),
    softCap: args.softCap ?? null,
    emptyRows: args.emptyRows ?? 'zero',
    kernelInitializer: kernel,
    biasInitializer: bias,
    outputInitializer: residual,
    ...more,
  };
  const numKeyValueHeads = args.numKeyValueHeads ?? args.numHeads;
  return numKeyValueHeads === args.numHeads
    ? multiHeadAttention({ ...shared, numHeads: args.numHeads, keyDim: headDim })
    : groupedQueryAttention({ ...shared, numQueryHeads: args.numHeads, numKeyValueHeads, headDim });
}

/**
 * Makes a normalisation of a block.
 *
 * @param name Its name.
 * @param args Description of the block.
 * @returns The layer.
 */
export function blockNorm(
  name: string,
  { normalization = 'layer', normEpsilon }: TransformerBlockArgs,
): tfl.layers.Layer {
  return normalization === 'layer'
    ? layerNormalization({ name, epsilon: normEpsilon ?? 1e-5 })
    : rmsNormalization({ name, epsilon: normEpsilon ?? 1e-6 });
}

/** The layers of a feed-forward part. */
export interface FeedForward {
  /** [D, F], activated unless there is a gate. */
  intermediate: Dense;
  /** [D, F], activated; null when the part is not gated. */
  gate: Dense | null;
  /** [F, D] */
  output: Dense;
}

/**
 * Makes the feed-forward part of a block.
 *
 * @param args Description of the block.
 * @param D Width of the block.
 * @param initializers Resolved initializers.
 * @returns Its layers.
 */
export function feedForward(
  args: TransformerBlockArgs,
  D: number,
  { kernel, bias, residual }: BlockInitializers,
): FeedForward {
  const { activation = 'geluApproximate', gated = false } = args;
  const shared = { useBias: args.mlpBias ?? true, biasInitializer: bias };
  const widen = { ...shared, units: args.intermediateDim };
  return {
    intermediate: dense({
      ...widen,
      name: 'feedforward_intermediate_dense',
      activation: gated ? 'linear' : activation,
      kernelInitializer: reseeded(kernel, INTERMEDIATE),
    }),
    gate: gated
      ? dense({
          ...widen,
          name: 'feedforward_gate_dense',
          activation,
          kernelInitializer: reseeded(kernel, GATE),
        })
      : null,
    output: dense({
      ...shared,
      name: 'feedforward_output_dense',
      units: D,
      kernelInitializer: reseeded(residual, OUTPUT),
    }),
  };
}
