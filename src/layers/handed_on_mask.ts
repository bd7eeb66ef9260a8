/**
 * The masks that TensorFlow.js keeps beside tensors in eager calls, and in graphs hands from layer to layer.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { CallArguments } from './call_arguments.js';

/** A tensor with the mask that TensorFlow.js keeps beside it. */
type Masked = tf.Tensor & { kerasMask?: tf.Tensor | null };

/**
 * The mask that a layer left beside its output in an eager call.
 *
 * @param tensor Any tensor.
 * @returns The mask, or undefined when there is none, or when the tidy that made it has disposed of it.
 */
export function maskBeside(tensor: tf.Tensor): tf.Tensor | undefined {
  const { kerasMask } = tensor as Masked;
  return kerasMask && !kerasMask.isDisposed ? kerasMask : undefined;
}

/**
 * What a layer that hands its mask on answers to TensorFlow.js' `computeMask`: the mask of its first input.
 *
 * @param inputs Inputs of the call.
 * @param masks In a graph, the masks of the inputs; in an eager call undefined, and the mask is beside the input.
 * @returns The mask or null. In eager calls a tensor of its own, for TensorFlow.js disposes of a mask with its tensor.
 */
export function handedOnMask(
  inputs: tf.Tensor | tf.Tensor[],
  masks: tf.Tensor | tf.Tensor[] | null | undefined,
): tf.Tensor | null {
  if (masks !== undefined) return (Array.isArray(masks) ? masks[0] : masks) ?? null;
  const mask = maskBeside(Array.isArray(inputs) ? inputs[0] : inputs);
  return mask ? tf.clone(mask) : null;
}

/**
 * The arguments of a call without the mask of TensorFlow.js. It runs a whole graph with one object of arguments, so
 * that a mask put there for one layer stays for all later ones, on any branch: here it ends.
 *
 * @param kwargs Arguments of the call, as `call` gets them; the mask is taken out of this very object.
 * @returns The arguments.
 */
export function forgetMask(kwargs: CallArguments | null | undefined): CallArguments {
  if (!kwargs) return {};
  delete kwargs.mask;
  return kwargs;
}
