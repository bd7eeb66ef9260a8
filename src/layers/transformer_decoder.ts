import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { CALL_OPTIONS, type Signature } from './argument_layer.js';
import {
  BEYOND_KERAS_HUB,
  kerasHubBlock,
  kerasHubOptions,
  type KerasHubBlockArgs,
} from './keras_hub_block.js';
import { knowingOptions } from './single_input_layer.js';
import { BLOCK_SIGNATURE, TransformerBlock } from './transformer_block.js';

/** Options of `transformerDecoder`: keras-hub's, and those of `transformerBlock` under the same names. */
export interface TransformerDecoderArgs extends KerasHubBlockArgs {
  /** Whether a token sees only those before it. Default true. */
  useCausalMask?: boolean;
  /** As in keras-hub's configurations; the shapes of the call are what counts. */
  decoderSequenceShape?: tfl.Shape | null;
  /** As in keras-hub's configurations; the shapes of the call are what counts. */
  encoderSequenceShape?: tfl.Shape | null;
}

/**
 * A transformer decoder block (Vaswani et al., 2017; keras-hub's `TransformerDecoder`): self-attention that sees only the
 * past, cross-attention when it is called with the sequence of an encoder, and a feed-forward layer. See
 * `TransformerBlock` for the formula.
 *
 * Inputs: `apply(decoderSequence [B, T, D])` or `apply([decoderSequence, encoderSequence [B, S, E]])`; by name or through
 * `inputs`: `decoderPaddingMask` [B, T], `decoderAttentionMask` [B, T, T], `encoderPaddingMask` [B, S],
 * `encoderAttentionMask` [B, T, S], `positions` and `segmentIds` [B, T], `encoderSegmentIds` [B, S]. (`query`, `paddingMask`
 * and `attentionMask` are other names of the first ones.) Output [B, T, D].
 *
 * The call argument `cache`, a KVCache, in place of keras-hub's four: it holds the keys and values of both attentions,
 * those of the encoder's sequence projected once.
 *
 * Weights, in order: `self_attention/…`, `self_attention_layer_norm/…`, (`cross_attention/…`,
 * `cross_attention_layer_norm/…`), `feedforward_intermediate_dense/…`, (`feedforward_gate_dense/…`),
 * `feedforward_output_dense/…`, `feedforward_layer_norm/…`.
 */
export class TransformerDecoder extends TransformerBlock {
  /** Name under which saved models find the class. */
  static override readonly className: string = 'TransformerDecoder';

  private shapes: Record<'decoder' | 'encoder', tfl.Shape | null>;

  /** @param given See `TransformerDecoderArgs`. */
  constructor({ decoderSequenceShape, encoderSequenceShape, ...given }: TransformerDecoderArgs) {
    super(kerasHubBlock('TransformerDecoder', given), {
      selfAttention: 'self_attention',
      normFirstInWeights: false,
      roundsHeadsDown: true,
    });
    this.shapes = { decoder: decoderSequenceShape ?? null, encoder: encoderSequenceShape ?? null };
  }

  protected override signature(): Signature {
    return {
      ...BLOCK_SIGNATURE,
      trueByDefault: ['useCausalMask'],
      aliases: {
        decoderSequence: 'query',
        decoderPaddingMask: 'paddingMask',
        decoderAttentionMask: 'attentionMask',
      },
    };
  }

  protected override buildFrom(shapes: Record<string, tfl.Shape>): void {
    super.buildFrom(shapes);
    const encoder = (shapes.encoderSequence as tfl.Shape | undefined) ?? null;
    this.shapes = { decoder: [...shapes.query], encoder: encoder && [...encoder] };
  }

  protected override options(): tf.serialization.ConfigDict {
    return {
      ...kerasHubOptions(super.options()),
      decoderSequenceShape: this.shapes.decoder,
      encoderSequenceShape: this.shapes.encoder,
    };
  }
}
tf.serialization.registerClass(TransformerDecoder);

/**
 * Makes a `TransformerDecoder` layer.
 *
 * @param args See `TransformerDecoderArgs`.
 * @returns The layer.
 */
export function transformerDecoder(args: TransformerDecoderArgs): TransformerDecoder {
  return knowingOptions(new TransformerDecoder(args), args, [...CALL_OPTIONS, ...BEYOND_KERAS_HUB]);
}
