/**
 * The base class of layers that take one tensor. TensorFlow.js hands them a bare tensor in eager calls and a list of
 * one inside `tf.model`.
 */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { assert, assertKnownOptions, describe } from '../util/errors.js';
import type { CallArguments } from './call_arguments.js';
import { forgetMask, handedOnMask } from './handed_on_mask.js';
import type { LayerArgs } from './composite_layer.js';

/** A layer with one input and one output. */
export abstract class SingleInputLayer extends tfl.layers.Layer {
  /** @param args What every layer takes; an `activityRegularizer`, which Keras has, is refused. */
  protected constructor(args: LayerArgs) {
    super(args);
    this.supportsMasking = true; // the mask of the input is that of the output
    const { activityRegularizer = null } = args as { activityRegularizer?: unknown };
    assert(
      activityRegularizer === null,
      () =>
        `${this.getClassName()}: activityRegularizer is not supported by TensorFlow.js, ` +
        `got activityRegularizer=${describe(activityRegularizer)}. Leave it out, or add a loss of your own.`,
    );
  }

  /** The computation; runs in a tidy. */
  protected abstract compute(x: tf.Tensor, kwargs: CallArguments): tf.Tensor;

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments): tf.Tensor {
    return tf.tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      return this.compute(onlyOne(this.name, inputs), forgetMask(kwargs));
    });
  }

  /** Hands on the mask of the input. */
  override computeMask(
    inputs: tf.Tensor | tf.Tensor[],
    masks?: tf.Tensor | tf.Tensor[],
  ): tf.Tensor {
    return handedOnMask(inputs, masks) as tf.Tensor; // null is "none", which the type leaves out
  }
}

/**
 * The one element of what may be a list of one.
 *
 * @param where Name of the layer, for the error.
 * @param inputs A tensor, symbolic or not, or a list of one.
 * @returns The tensor.
 * @throws Error when the list holds another number of tensors.
 */
export function onlyOne<T extends tf.Tensor | tfl.SymbolicTensor>(
  where: string,
  inputs: T | T[],
): T {
  if (!Array.isArray(inputs)) return inputs;
  assert(inputs.length === 1, () => `${where}: takes one input, got ${inputs.length}.`);
  return inputs[0];
}

/**
 * The one shape of what may be a list of one.
 *
 * @param shape A shape or a list of one.
 * @returns The shape.
 */
export function onlyShape(shape: tfl.Shape | tfl.Shape[]): tfl.Shape {
  return (Array.isArray(shape[0]) ? shape[0] : shape) as tfl.Shape;
}

/** Options of every layer of TensorFlow.js. */
const LAYER_OPTIONS = [
  'name', 'trainable', 'inputShape', 'batchInputShape', 'batchSize', 'dtype', 'inputDType', 'weights',
]; // prettier-ignore

/**
 * Refuses options that a layer does not know, for its factory. The class itself takes them: configurations that
 * Keras saved hold more than we need.
 *
 * @param layer The layer; what its configuration holds is what it knows.
 * @param args What the factory was given.
 * @param more Options that the configuration leaves out while they are not used.
 * @returns The layer.
 * @throws Error naming the unknown option.
 */
export function knowingOptions<L extends tfl.layers.Layer>(
  layer: L,
  args: object,
  more: readonly string[] = [],
): L {
  const known = [...Object.keys(layer.getConfig()), ...more, ...LAYER_OPTIONS];
  assertKnownOptions(layer.getClassName(), args, [...new Set(known)]);
  return layer;
}
