import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';

/** What TensorFlow.js keeps in a weight beside its value. */
interface Constrained {
  constraint?: { apply(weight: tf.Tensor): tf.Tensor } | null;
}

/**
 * Projects weights to where their constraints allow them to be, as Keras does after every step of an optimizer.
 * TensorFlow.js applies a constraint only when a weight is written through the layer, which no optimizer does.
 *
 * @param weights For example `model.trainableWeights`; those without a constraint stay as they are.
 */
export function applyConstraints(weights: readonly tfl.LayerVariable[]): void {
  for (const weight of weights) {
    const { constraint } = weight as unknown as Constrained;
    if (!constraint) continue;
    tf.tidy(() => {
      const variable = weight.read() as tf.Variable;
      variable.assign(constraint.apply(variable));
    });
  }
}
