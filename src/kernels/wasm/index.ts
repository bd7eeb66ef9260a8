/**
 * `tfjs-transformers/wasm`: fused kernels for TensorFlow.js' wasm backend. Importing it registers them; every layer,
 * model and operation of `tfjs-transformers` uses them from then on.
 */
import { registerKernels } from './register.js';

export { accelerate } from './accelerate.js';
export { registerKernels, unregisterKernels } from './register.js';

registerKernels();
