/** Whole models, each an ordinary `tf.LayersModel`. */
export { bert, type BertOptions, type BertOutput } from './bert.js';
export { causalLM, type CausalLMOptions } from './causal_lm.js';
export { gpt2, type GPT2Config } from './gpt2.js';
export { llama, type LlamaConfig } from './llama.js';
export { seq2seq, type Seq2SeqInput, type Seq2SeqOptions } from './seq2seq.js';
export { sequenceClassifier, type SequenceClassifierOptions } from './sequence_classifier.js';
export type { ModelInput, TransformerOptions } from './transformer_options.js';
