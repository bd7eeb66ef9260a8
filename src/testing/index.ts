/** Checks for people who write layers and operations: gradients, the contract of a layer, memory. */
export { CheckError } from './check_error.js';
export { checkGradients } from './check_gradients.js';
export {
  checkLayer,
  layerChecks,
  type LayerCheck,
  type LayerOptions,
  type LayerReport,
} from './check_layer.js';
export { checkNoLeaks } from './check_no_leaks.js';
export type { GradientCheck } from './finite_difference.js';
export type { InputSpec, LayerInput } from './layer_inputs.js';
export type { GradientOptions, GradientReport } from './compare_gradients.js';
