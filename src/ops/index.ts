/** Differentiable operations, each in plain TensorFlow.js and open to faster kernels. */
export { activation, activationNames, type ActivationName } from './activation.js';
export { alibiBias, alibiSlopes, type AlibiOptions } from './alibi.js';
export {
  dotProductAttention,
  type AttentionWithScores,
  type DotProductAttentionOptions,
} from './dot_product_attention.js';
export { dropout, dropoutMask, type DropoutOptions } from './dropout.js';
export { embeddingLookup } from './embedding_lookup.js';
export { gatedLinearUnit, type GatedLinearUnitOptions } from './gated_linear_unit.js';
export { gelu, type GeluOptions } from './gelu.js';
export { layerNorm, type LayerNormOptions } from './layer_norm.js';
export { linear, type LinearOptions } from './linear.js';
export { projections, type AffineMap } from './projections.js';
export { residual } from './residual.js';
export { rmsNorm, type RmsNormOptions } from './rms_norm.js';
export { rotary, type RotaryOptions } from './rotary.js';
export { silu } from './silu.js';
export { softCap } from './soft_cap.js';
export {
  sparseSoftmaxCrossEntropy,
  type SparseSoftmaxCrossEntropyOptions,
} from './sparse_softmax_cross_entropy.js';
