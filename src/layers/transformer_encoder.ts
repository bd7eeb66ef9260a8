import * as tf from '@tensorflow/tfjs-core';
import { CALL_OPTIONS, type Signature } from './argument_layer.js';
import {
  BEYOND_KERAS_HUB,
  kerasHubBlock,
  kerasHubOptions,
  type KerasHubBlockArgs,
} from './keras_hub_block.js';
import { knowingOptions } from './single_input_layer.js';
import { BLOCK_SIGNATURE, TransformerBlock } from './transformer_block.js';

/** Options of `transformerEncoder`: keras-hub's, and those of `transformerBlock` under the same names. */
export type TransformerEncoderArgs = KerasHubBlockArgs;

const TENSORS = ['query', 'paddingMask', 'keyMask', 'attentionMask', 'positions', 'segmentIds'];

/**
 * A transformer encoder block (Vaswani et al., 2017; keras-hub's `TransformerEncoder`): self-attention that sees all
 * tokens, and a feed-forward layer. See `TransformerBlock` for the formula.
 *
 * Input [B, T, D]; by name or through `inputs`: `paddingMask` [B, T], `attentionMask` [B, T, T], `positions`,
 * `segmentIds`. Output [B, T, D], or [output, scores] with `returnAttentionScores`. A padding mask hides keys; the mask
 * that `tf.layers.embedding({maskZero: true})` gives its output is taken for one.
 *
 * Weights, in order: `self_attention_layer/…`, `self_attention_layer_norm/…`, `feedforward_layer_norm/…`,
 * `feedforward_intermediate_dense/…`, (`feedforward_gate_dense/…`), `feedforward_output_dense/…`.
 */
export class TransformerEncoder extends TransformerBlock {
  /** Name under which saved models find the class. */
  static override readonly className: string = 'TransformerEncoder';

  /** @param given See `TransformerEncoderArgs`. */
  constructor(given: TransformerEncoderArgs) {
    super(kerasHubBlock('TransformerEncoder', given), {
      selfAttention: 'self_attention_layer',
      normFirstInWeights: true,
      roundsHeadsDown: true,
    });
  }

  protected override signature(): Signature {
    return { ...BLOCK_SIGNATURE, tensors: TENSORS, positional: 1, aliases: { inputs: 'query' } };
  }

  protected override options(): tf.serialization.ConfigDict {
    return kerasHubOptions(super.options());
  }
}
tf.serialization.registerClass(TransformerEncoder);

/**
 * Makes a `TransformerEncoder` layer.
 *
 * @param args See `TransformerEncoderArgs`.
 * @returns The layer.
 */
export function transformerEncoder(args: TransformerEncoderArgs): TransformerEncoder {
  return knowingOptions(new TransformerEncoder(args), args, [...CALL_OPTIONS, ...BEYOND_KERAS_HUB]);
}
