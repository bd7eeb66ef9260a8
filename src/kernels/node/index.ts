/**
 * `tfjs-transformers/node`: fused kernels for tfjs-node. Importing it registers them; every layer, model and operation of
 * `tfjs-transformers` uses them from then on. Import it before tfjs-node, which then works on Node 23 and later too.
 */
import { restoreRemovedUtil } from '../../backends/packages.js';
import { registerKernels } from './register.js';

export { registerKernels, unregisterKernels } from './register.js';

restoreRemovedUtil();
registerKernels();
