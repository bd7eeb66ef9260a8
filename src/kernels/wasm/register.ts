/** All kernels of this folder. */
import * as tf from '@tensorflow/tfjs-core';
import { adamWUpdateKernels } from './adam_w_update.js';
import { attentionKernels } from './attention.js';
import { cacheWriteKernels } from './cache_write.js';
import { dropoutKernels } from './dropout.js';
import { embeddingLookupKernels } from './embedding_lookup.js';
import { gatedLinearUnitKernels } from './gated_linear_unit.js';
import { geluKernels } from './gelu.js';
import { globalNormKernels } from './global_norm.js';
import { identity } from './identity.js';
import { registerWasmKernel, unregisterWasmKernel, type WasmKernel } from './kernel.js';
import { layerNormKernels } from './layer_norm.js';
import { linearKernels } from './linear.js';
import { onInstantiated } from './module.js';
import { projectionsKernels } from './projections.js';
import { replaceKernel, type Attempt } from './replace_kernel.js';
import { residualKernels } from './residual.js';
import { rmsNormKernels } from './rms_norm.js';
import { rotaryKernels } from './rotary.js';
import { siluKernels } from './silu.js';
import { slice } from './slice.js';
import { softCapKernels } from './soft_cap.js';
import { sparseSoftmaxCrossEntropyKernels } from './sparse_softmax_cross_entropy.js';
import { tensorSumsKernels } from './tensor_sums.js';

const kernels: WasmKernel[] = [
  ...adamWUpdateKernels,
  ...attentionKernels,
  ...cacheWriteKernels,
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

/** The kernels that the backend has too, and that its own make needlessly slow for what this package does. */
const replacements: Record<string, Attempt> = { Identity: identity, Slice: slice };

let registered = false;
let putBack: (() => void)[] = [];
onInstantiated(replaceOriginals);

/** Registers every kernel that is not registered yet. Importing `tfjs-transformers/wasm` does this. */
export function registerKernels(): void {
  registered = true;
  kernels.forEach(registerWasmKernel);
  replaceOriginals();
}

/** Takes them back, so that operations run by their references on the wasm backend. */
export function unregisterKernels(): void {
  registered = false;
  kernels.forEach(({ name }) => unregisterWasmKernel(name));
  putBack.forEach((one) => one());
  putBack = [];
}

/** Replaces what there is to replace once the backend's package has been imported, which may be after us. */
function replaceOriginals(): void {
  if (!registered || putBack.length > 0 || !tf.getKernel('Identity', 'wasm')) return;
  putBack = Object.entries(replacements).map(([name, attempt]) => replaceKernel(name, attempt));
}
