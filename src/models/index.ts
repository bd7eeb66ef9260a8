/** Whole models, each an ordinary `tf.LayersModel`. */
export { causalLM, type CausalLMOptions, type ModelInput } from './causal_lm.js';
