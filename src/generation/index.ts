/** Generation: continuing prompts with a causal language model. */
export { generate, type Generated } from './generate.js';
export { stream, type StreamStep } from './stream.js';
export { createCache } from './create_cache.js';
export { ContextLengthError } from './context_length.js';
export type { KVCache } from '../cache/kv_cache.js';
export type { GenerateOptions, StepScores } from './generate_options.js';
export type { LogitsProcessor, Sequence } from './processors/logits_processor.js';
export type { SequenceBias } from './processors/sequence_bias.js';
export type { Prompt, PromptBatch, SinglePrompt } from './prompt.js';
