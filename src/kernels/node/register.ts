/** All kernels of this folder. */
import { adamWUpdateKernels } from './adam_w_update.js';
import { attentionKernels } from './attention.js';
import { dropoutKernels } from './dropout.js';
import { embeddingLookupKernels } from './embedding_lookup.js';
import { gatedLinearUnitKernels } from './gated_linear_unit.js';
import { geluKernels } from './gelu.js';
import { globalNormKernels } from './global_norm.js';
import { registerNodeKernel, unregisterNodeKernel, type NodeKernel } from './kernel.js';
import { layerNormKernels } from './layer_norm.js';
import { linearKernels } from './linear.js';
import { projectionsKernels } from './projections.js';
import { residualKernels } from './residual.js';
import { rmsNormKernels } from './rms_norm.js';
import { rotaryKernels } from './rotary.js';
import { siluKernels } from './silu.js';
import { softCapKernels } from './soft_cap.js';
import { sparseSoftmaxCrossEntropyKernels } from './sparse_softmax_cross_entropy.js';
import { tensorSumsKernels } from './tensor_sums.js';

const kernels: NodeKernel[] = [
  ...adamWUpdateKernels,
  ...attentionKernels,
  ...dropoutKernels,
  ...embeddingLookupKernels,
  ...gatedLinearUnitKernels,
  ...geluKernels,
  ...globalNormKernels,
  ...layerNormKernels,
  ...linearKernels,
  ...projectionsKernels,
  ...residualKernels,
  ...rmsNormKernels,
  ...rotaryKernels,
  ...siluKernels,
  ...softCapKernels,
  ...sparseSoftmaxCrossEntropyKernels,
  ...tensorSumsKernels,
];

/** Registers every kernel that is not registered yet. Importing `tfjs-transformers/node` does this. */
export function registerKernels(): void {
  const byName = new Map(kernels.map((kernel) => [kernel.name, kernel]));
  for (const kernel of kernels) {
    const gradient = byName.get(`${kernel.name}Grad`);
    if (!kernel.name.endsWith('Grad')) registerNodeKernel(kernel, gradient);
  }
}

/** Takes them back, so that operations run by their references on tfjs-node. */
export function unregisterKernels(): void {
  kernels.forEach(({ name }) => unregisterNodeKernel(name));
}
