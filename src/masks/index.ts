/** Masks: who may attend to whom. True (or nonzero) means "may attend". */
export { and } from './and.js';
export { causal } from './causal.js';
export { largeNegative } from './large_negative.js';
export { or } from './or.js';
export { padding } from './padding.js';
export { prefix } from './prefix.js';
export { segments } from './segments.js';
export { slidingWindow } from './sliding_window.js';
export { toBias } from './to_bias.js';
export { toBool } from './to_bool.js';
