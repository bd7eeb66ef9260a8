/** Models from elsewhere: Keras. */
export { loadKeras, type LoadKerasOptions } from './keras/load_keras.js';
export {
  inspectKeras,
  type InspectedLayer,
  type InspectedModel,
  type InspectedWeight,
} from './keras/inspect_keras.js';
export { saveKeras } from './keras/save_keras.js';
export type { Unsupported } from './keras/check_graph.js';
export type { CustomObject } from './keras/custom_entries.js';
export type { KerasLimits, KerasSource } from './keras/source.js';
