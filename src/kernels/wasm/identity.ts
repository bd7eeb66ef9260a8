/**
 * A second handle on a tensor's data, `tf.clone`. TensorFlow.js' own kernel copies the data on wasm, unlike on its other
 * backends; the tape makes such a handle of everything that a gradient needs, so a training step would hold all its
 * activations twice. (A step of the tiny GPT: 218 copies, 66 MB.)
 */
import type { Attempt } from './replace_kernel.js';

/** `Identity` of TensorFlow.js: counts one holder more of the same data. */
export const identity: Attempt = (call) => {
  const { x } = call.inputs;
  return x.dtype === 'string' || x.dtype === 'complex64' ? null : call.share(x);
};
