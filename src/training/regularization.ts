import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';

/**
 * The penalties of a model's regularizers, those of layers inside layers included.
 *
 * A layer that is applied twice (a tied embedding) is counted once, as in Keras; TensorFlow.js' own
 * `model.calculateLosses` counts it once for every call.
 *
 * @param model The model.
 * @returns Scalars, differentiable in the weights; none where nothing is regularized.
 */
export function regularizationLosses(model: tfl.LayersModel): tf.Scalar[] {
  return model.layers.flatMap((layer) => layer.calculateLosses());
}
