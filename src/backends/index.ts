/** Choosing the backend of TensorFlow.js that everything runs on. */
export { use, type Choice, type UseOptions } from './use.js';
