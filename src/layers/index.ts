/** Layers, as `tf.layers` has them: a factory and a class each, with the names and options of Keras and keras-hub. */
export { andMask, AndMask } from './and_mask.js';
export {
  ArgumentLayer,
  type ArgumentLayerArgs,
  type CallArguments,
  type Signature,
} from './argument_layer.js';
export { attentionScores, type AttentionScores } from './attention_scores.js';
export { CompositeLayer, type LayerArgs } from './composite_layer.js';
export { dense, Dense, type DenseArgs } from './dense.js';
export { dropout, Dropout, type DropoutArgs } from './dropout.js';
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
export type { ProjectedAttentionArgs, RotaryConfig } from './projected_attention.js';
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
  transformerBlock,
  TransformerBlock,
  type TransformerBlockArgs,
} from './transformer_block.js';
