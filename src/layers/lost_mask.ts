import * as tfl from '@tensorflow/tfjs-layers';

/** What tells that a layer of TensorFlow.js makes a mask, or hands one on. */
interface MaybeMasking {
  /** `tf.layers.embedding({maskZero: true})` */
  maskZero?: boolean;
  supportsMasking: boolean;
}

/**
 * Finds a mask that TensorFlow.js keeps beside a symbolic tensor, and that would be lost: it reaches only the next layer,
 * and then every later one, whether it concerns them or not. Our layers take masks as tensors only.
 *
 * @param tensor A symbolic tensor.
 * @returns Name of the layer that makes the mask, or null when there is none.
 */
export function maskedBy(tensor: tfl.SymbolicTensor): string | null {
  const layer = tensor.sourceLayer as tfl.layers.Layer & MaybeMasking;
  if (layer.maskZero || layer.getClassName() === 'Masking') return layer.name;
  if (!layer.supportsMasking) return null;
  for (const input of tensor.inputs) {
    const found = maskedBy(input);
    if (found !== null) return found;
  }
  return null;
}
