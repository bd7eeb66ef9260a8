import * as tfl from '@tensorflow/tfjs-layers';
import { dense } from '../layers/dense.js';
import { ModelParts } from './model_parts.js';
import {
  checkInputs,
  checkTransformerOptions,
  type ModelInput,
  type TransformerOptions,
} from './transformer_options.js';

export type { ModelInput } from './transformer_options.js';

/**
 * Options of `causalLM`, with keras-hub's names. Defaults: `normEpsilon` 1e-5 for `layer` and 1e-6 for `rms`, `normFirst`
 * true, `activation` `geluApproximate`, as in GPT-2.
 */
export interface CausalLMOptions extends TransformerOptions {
  /** Whether logits = hidden·embeddingsᵀ. Default true; otherwise a head of its own, `lm_head/kernel` [D, V]. */
  tieEmbeddings?: boolean;
  /** What the model takes, in order. Default `['tokenIds']`. */
  inputs?: ModelInput[];
}

/**
 * A decoder-only language model (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019).
 *
 *     x = embedding(tokenIds) (+ position)      x = block(x), numLayers times      logits = norm(x)·embeddingsᵀ
 *
 * The default is the shape of GPT-2. Llama's: `{position: 'rotary', normalization: 'rms', activation: 'silu',
 * gated: true, attentionBias: false, mlpBias: false, tieEmbeddings: false}`. `models.gpt2` and `models.llama` make them
 * from Hugging Face's configurations.
 *
 * Inputs, all [B, T]: `tokenIds` (int32) and what `inputs` names: `paddingMask` (nonzero = real), `positions`
 * (0 … T−1 by default), `segmentIds` (packed documents do not see each other), `tokenTypeIds` (embedded by the token
 * table and added, as in GPT-2). Output: logits [B, T, V], float32.
 *
 * Weights: `token_embedding/embeddings` [V, D], `position_embedding/embeddings` [L, D], `block_0/…` as in
 * `TransformerBlock`, `final_norm/…`, `lm_head/kernel` [D, V]. Initial weights are N(0, 0.02²), those of projections into
 * the residual stream divided by √(2·numLayers); biases 0, norms 1.
 *
 * @param options See `CausalLMOptions`.
 * @returns An ordinary `tf.LayersModel`: `summary`, `compile`, `fit`, `save`, `tf.loadLayersModel` work on it.
 * @throws Error when an option is missing, unknown, or does not fit the others.
 */
export function causalLM(options: CausalLMOptions): tfl.LayersModel {
  checkTransformerOptions('causalLM', options, ['tieEmbeddings', 'inputs']);
  const names = options.inputs ?? ['tokenIds'];
  checkInputs('causalLM', names, options);
  const parts = new ModelParts(options);
  const inputs = parts.inputs(names);
  const embedding = parts.tokenEmbedding();
  const embedded = parts.embedded(embedding, inputs);
  const hidden = parts.stacked(embedded, inputs, { causal: true, padding: parts.padding(inputs) });
  const tied = options.tieEmbeddings ?? true;
  const head = tied
    ? embedding
    : dense({
        name: 'lm_head',
        units: options.vocabularySize,
        useBias: false,
        kernelInitializer: parts.weights(),
        lastPositionOnly: true,
      });
  return tfl.model({
    inputs: names.map((name) => inputs[name]),
    outputs: head.apply(hidden) as tfl.SymbolicTensor,
    ...(options.name ? { name: options.name } : {}),
  });
}
