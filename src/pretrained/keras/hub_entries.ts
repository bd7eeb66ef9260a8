/** Layers of keras-hub, which was keras-nlp. */
import type * as tfl from '@tensorflow/tfjs-layers';
import {
  PositionEmbedding,
  RotaryEmbedding,
  SinePositionEncoding,
  TokenAndPositionEmbedding,
  TransformerDecoder,
  TransformerEncoder,
  type PositionEmbeddingArgs,
  type TokenAndPositionEmbeddingArgs,
  type TransformerDecoderArgs,
  type TransformerEncoderArgs,
} from '../../layers/index.js';
import { emptyRowsIn, flows, PROJECTIONS, takeMasks } from './attention_entries.js';
import {
  flagAt,
  flowAt,
  required,
  type ArgumentKind,
  type Flow,
  type LayerCall,
  type LayerEntry,
} from './layer_entry.js';

const BLOCK_OPTIONS = [
  'intermediate_dim', 'num_heads', 'dropout', 'activation', 'layer_norm_epsilon', 'kernel_initializer', 'bias_initializer',
  'normalize_first',
]; // prettier-ignore

/** A mask beside a tensor, as a tensor. */
function maskTensor({ context }: LayerCall, flow: Flow | null): tfl.SymbolicTensor | null {
  return flow?.mask ? context.maskTensor(flow.mask) : null;
}

/** Arguments that are there. */
function given(
  tensors: Record<string, tfl.SymbolicTensor | null | undefined>,
): Record<string, tfl.SymbolicTensor> {
  return Object.fromEntries(
    Object.entries(tensors).filter(
      (entry): entry is [string, tfl.SymbolicTensor] => (entry[1] ?? null) !== null,
    ),
  );
}

/** The mask beside the inputs hides queries too; there it is one over pairs. */
function attentionMask(
  call: LayerCall,
  beside: tfl.SymbolicTensor | null,
): tfl.SymbolicTensor | null {
  const explicit = flowAt(call, 'attention_mask')?.tensor ?? null;
  if (!beside) return explicit;
  const { context, source } = call;
  const [queries] = context.operator(`${source.name}_queries`, 'expandDims', [beside, -1]);
  if (!explicit) return queries;
  return context.operator(`${source.name}_pairs`, 'logicalAnd', [explicit, queries])[0];
}

/** An explicit padding mask hides keys; the mask beside the tensor reaches the attention inside in any case. */
function applyEncoder(layer: tfl.layers.Layer | null, call: LayerCall): Flow[] {
  const inputs = required(call, 'inputs');
  const explicit = flowAt(call, 'padding_mask')?.tensor ?? null;
  const beside = maskTensor(call, inputs);
  const named = given({
    paddingMask: explicit ?? beside,
    keyMask: explicit && beside !== explicit ? beside : null,
    attentionMask: attentionMask(call, beside),
  });
  const flags = { returnAttentionScores: flagAt(call, 'return_attention_scores') };
  const outputs = call.context.callNamed(layer!, ['query', inputs.tensor], named, flags);
  const { mask } = inputs;
  // The attention inside is called with the inputs themselves, when they are not normalised first.
  const isFirst = call.source.config.normalize_first !== true;
  if (isFirst && call.context.version.atLeast(3, 7)) takeMasks(inputs);
  return flows(outputs, mask);
}

/** Masks beside the sequences count where none is given. */
function applyDecoder(layer: tfl.layers.Layer | null, call: LayerCall): Flow[] {
  const decoder = required(call, 'decoder_sequence');
  const encoder = flowAt(call, 'encoder_sequence');
  const named = given({
    encoderSequence: encoder?.tensor,
    paddingMask: flowAt(call, 'decoder_padding_mask')?.tensor ?? maskTensor(call, decoder),
    attentionMask: flowAt(call, 'decoder_attention_mask')?.tensor,
    encoderPaddingMask: encoder
      ? (flowAt(call, 'encoder_padding_mask')?.tensor ?? maskTensor(call, encoder))
      : null,
    encoderAttentionMask: encoder ? flowAt(call, 'encoder_attention_mask')?.tensor : null,
  });
  const flags = { useCausalMask: flagAt(call, 'use_causal_mask', true) };
  const outputs = call.context.callNamed(layer!, ['query', decoder.tensor], named, flags);
  return flows(outputs, decoder.mask);
}

const POSITION_CALL: Readonly<Record<string, ArgumentKind>> = {
  inputs: 'tensor',
  start_index: 'unused',
  positions: 'optional',
};

/** Encodes positions; a mask beside the inputs ends here. */
function applyPositions(layer: tfl.layers.Layer | null, call: LayerCall): Flow[] {
  const positions = flowAt(call, 'positions')?.tensor;
  const { tensor } = required(call, 'inputs');
  return flows(call.context.callNamed(layer!, ['inputs', tensor], given({ positions })), null);
}

const ATTENTION_PARTS = PROJECTIONS;

/** Layers of keras-hub by class. */
export const HUB: Readonly<Record<string, LayerEntry>> = {
  TransformerEncoder: {
    call: {
      inputs: 'tensor',
      padding_mask: 'optional',
      attention_mask: 'optional',
      training: 'unused',
      return_attention_scores: 'flag',
    },
    options: { taken: BLOCK_OPTIONS },
    activations: 'ours',
    make: (options, call) =>
      new TransformerEncoder({
        ...(options as unknown as TransformerEncoderArgs),
        ...emptyRowsIn(call, 3),
      }),
    apply: applyEncoder,
    parts: {
      ...ATTENTION_PARTS,
      self_attention_layer: '_self_attention_layer',
      self_attention_layer_norm: '_self_attention_layer_norm',
      feedforward_layer_norm: '_feedforward_layer_norm',
      feedforward_intermediate_dense: '_feedforward_intermediate_dense',
      feedforward_output_dense: '_feedforward_output_dense',
    },
  },
  TransformerDecoder: {
    call: {
      decoder_sequence: 'tensor',
      encoder_sequence: 'optional',
      decoder_padding_mask: 'optional',
      decoder_attention_mask: 'optional',
      encoder_padding_mask: 'optional',
      encoder_attention_mask: 'optional',
      self_attention_cache: 'unused',
      self_attention_cache_update_index: 'unused',
      cross_attention_cache: 'unused',
      cross_attention_cache_update_index: 'unused',
      use_causal_mask: 'flag',
      training: 'unused',
    },
    options: {
      taken: BLOCK_OPTIONS,
      ignored: ['decoder_sequence_shape', 'encoder_sequence_shape'],
    },
    activations: 'ours',
    make: (options, call) =>
      new TransformerDecoder({
        ...(options as unknown as TransformerDecoderArgs),
        ...emptyRowsIn(call, 3),
      }),
    apply: applyDecoder,
    parts: {
      ...ATTENTION_PARTS,
      self_attention: '_self_attention_layer',
      self_attention_layer_norm: '_self_attention_layer_norm',
      cross_attention: '_cross_attention_layer',
      cross_attention_layer_norm: '_cross_attention_layer_norm',
      feedforward_layer_norm: '_feedforward_layer_norm',
      feedforward_intermediate_dense: '_feedforward_intermediate_dense',
      feedforward_output_dense: '_feedforward_output_dense',
    },
  },
  TokenAndPositionEmbedding: {
    call: POSITION_CALL,
    options: {
      taken: [
        'vocabulary_size', 'sequence_length', 'embedding_dim', 'tie_weights', 'embeddings_initializer',
      ], // prettier-ignore
      ignored: ['mask_zero'],
    },
    make: (options) =>
      new TokenAndPositionEmbedding(options as unknown as TokenAndPositionEmbeddingArgs),
    apply: (layer, call) => {
      const { tensor } = required(call, 'inputs');
      const [{ tensor: output }] = applyPositions(layer, call);
      const kept = call.source.config.mask_zero === true;
      return [{ tensor: output, mask: kept ? { kind: 'ids', of: tensor, value: 0 } : null }];
    },
    parts: { token_embedding: 'token_embedding', position_embedding: 'position_embedding' },
  },
  PositionEmbedding: {
    call: POSITION_CALL,
    options: { taken: ['sequence_length', 'initializer'] },
    make: (options) => new PositionEmbedding(options as unknown as PositionEmbeddingArgs),
    apply: applyPositions,
  },
  SinePositionEncoding: {
    call: POSITION_CALL,
    options: { taken: ['max_wavelength'] },
    make: (options) => new SinePositionEncoding(options),
    apply: applyPositions,
  },
  RotaryEmbedding: {
    call: POSITION_CALL,
    options: {
      taken: [
        'max_wavelength',
        'scaling_factor',
        'sequence_axis',
        'feature_axis',
        'denominator_dim',
      ],
      ignored: ['beta_fast', 'beta_slow', 'original_max_position_embeddings', 'truncate'],
      only: { rope_type: ['linear'] },
    },
    make: (options) => new RotaryEmbedding(options),
    apply: applyPositions,
  },
};
