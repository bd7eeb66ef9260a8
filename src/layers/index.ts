/** Layers, as `tf.layers` has them: a factory and a class each, with the names and options of Keras and keras-hub. */
export {
  additiveAttention,
  AdditiveAttention,
  type AdditiveAttentionArgs,
} from './additive_attention.js';
export { alibiBias, AlibiBias, type AlibiBiasArgs } from './alibi_bias.js';
export { andMask, AndMask } from './and_mask.js';
export { ArgumentLayer, type ArgumentLayerArgs, type Signature } from './argument_layer.js';
export { attention, Attention, type AttentionArgs } from './attention.js';
export { attentionScores, type AttentionScores } from './attention_scores.js';
export { bias, Bias } from './bias.js';
export type { CallArguments } from './call_arguments.js';
export { CompositeLayer, type LayerArgs } from './composite_layer.js';
export { dense, Dense, type DenseArgs } from './dense.js';
export { dropout, Dropout, type DropoutArgs } from './dropout.js';
export { einsumDense, EinsumDense, type EinsumDenseArgs } from './einsum_dense.js';
export { embedding, Embedding, type EmbeddingArgs } from './embedding.js';
export { gruCell, GRUCell, type GRUCellArgs } from './gru_cell.js';
export { sharedCall, SharedCall, type SharedCallArgs } from './shared_call.js';
export { maskedSequence, MaskedSequence, type MaskedSequenceArgs } from './masked_sequence.js';
export {
  operator,
  Operator,
  operatorNames,
  type OperandTemplate,
  type OperatorArgs,
} from './operator.js';
export type { EmptyRows } from './empty_rows.js';
export { featureMask, FeatureMask, type FeatureMaskArgs } from './feature_mask.js';
export { firstToken, FirstToken } from './first_token.js';
export { globalAveragePooling1d, GlobalAveragePooling1D } from './global_average_pooling1d.js';
export {
  groupedQueryAttention,
  GroupedQueryAttention,
  type GroupedQueryAttentionArgs,
} from './grouped_query_attention.js';
export {
  layerNormalization,
  LayerNormalization,
  type LayerNormalizationArgs,
} from './layer_normalization.js';
export {
  multiHeadAttention,
  MultiHeadAttention,
  type MultiHeadAttentionArgs,
} from './multi_head_attention.js';
export { paddingMask, PaddingMask, type PaddingMaskArgs } from './padding_mask.js';
export {
  positionEmbedding,
  PositionEmbedding,
  type PositionEmbeddingArgs,
} from './position_embedding.js';
export type { ProjectedAttentionArgs } from './attention_options.js';
export { collectRandomStreams } from './random_streams.js';
export {
  reversibleEmbedding,
  ReversibleEmbedding,
  type ReversibleEmbeddingArgs,
} from './reversible_embedding.js';
export {
  rmsNormalization,
  RMSNormalization,
  type RMSNormalizationArgs,
} from './rms_normalization.js';
export { rotaryEmbedding, RotaryEmbedding, type RotaryEmbeddingArgs } from './rotary_embedding.js';
export type { RotaryConfig, RotaryScaling } from './rotary_scaling.js';
export {
  sinePositionEncoding,
  SinePositionEncoding,
  type SinePositionEncodingArgs,
} from './sine_position_encoding.js';
export {
  tokenAndPositionEmbedding,
  TokenAndPositionEmbedding,
  type TokenAndPositionEmbeddingArgs,
} from './token_and_position_embedding.js';
export {
  tokenTypeEmbedding,
  TokenTypeEmbedding,
  type TokenTypeEmbeddingArgs,
} from './token_type_embedding.js';
export {
  transformerBlock,
  TransformerBlock,
  type TransformerBlockArgs,
} from './transformer_block.js';
export {
  transformerDecoder,
  TransformerDecoder,
  type TransformerDecoderArgs,
} from './transformer_decoder.js';
export {
  transformerEncoder,
  TransformerEncoder,
  type TransformerEncoderArgs,
} from './transformer_encoder.js';
