/** tfjs-transformers: the transformer stack of TensorFlow.js. Everything public, by namespace. */
export * as backends from './backends/index.js';
export * as masks from './masks/index.js';
export * as ops from './ops/index.js';
export * as layers from './layers/index.js';
export * as models from './models/index.js';
export * as tokenizers from './tokenizers/index.js';
export * as generation from './generation/index.js';
export * as training from './training/index.js';
export * as pretrained from './pretrained/index.js';
export * as visualize from './visualize/index.js';
