/**
 * The base class of layers that hold layers.
 *
 * `tf.layers.Layer` knows only the weights that it added itself: a layer inside a layer is not trained, not saved and
 * not counted (tensorflow/tfjs#8253). This class tracks its sub-layers and answers for their weights, losses and
 * random streams as for its own.
 */
import type * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { RandomStream } from '../util/random.js';

type Layer = tfl.layers.Layer;
type LayerVariable = tfl.LayerVariable;

/** Arguments that every layer takes. */
export type LayerArgs = ConstructorParameters<typeof tfl.layers.Layer>[0] & object;

/** A layer whose weights are its own and those of its sub-layers, in the order in which they were tracked. */
export abstract class CompositeLayer extends tfl.layers.Layer {
  /** Sub-layers, in the order of their weights. */
  readonly subLayers: Layer[] = [];

  /** Where this layer draws random numbers from, when it does; its state belongs to a training checkpoint. */
  randomStream?: RandomStream;

  /**
   * Adopts a sub-layer.
   *
   * @param layer The sub-layer; its name is its place in the weight names, `thisLayer/subLayer/kernel`.
   * @returns The same layer.
   */
  protected track<L extends Layer>(layer: L): L {
    this.subLayers.push(layer);
    return layer;
  }

  /**
   * Builds a sub-layer inside the `build` of this one, so that its weight names nest.
   *
   * @param layer A tracked sub-layer.
   * @param shapes Batch shape of each of its inputs.
   */
  protected buildSubLayer(layer: Layer, ...shapes: tfl.Shape[]): void {
    // While a saved model is loaded, weights start at zero: they are about to be overwritten.
    layer.setFastWeightInitDuringBuild(Reflect.get(this, 'fastWeightInitDuringBuild'));
    // The symbolic inputs are named, so that they do not use up the default names of the user's own inputs.
    const inputs = shapes.map((batchShape, i) =>
      tfl.input({ batchShape, name: `${this.name}/${layer.name}/input_${i}` }),
    );
    layer.apply(inputs.length === 1 ? inputs[0] : inputs);
  }

  /**
   * Calls a sub-layer that is built and takes one tensor. `apply` also looks for graphs, opens a scope for names and
   * carries masks along, none of which matters inside a layer, and which takes as long as the call for one row.
   *
   * @param layer A tracked sub-layer.
   * @param x Its input.
   * @returns Its output.
   */
  protected callSubLayer(layer: Layer, x: tf.Tensor): tf.Tensor {
    return layer.call(x, {}) as tf.Tensor;
  }

  /** Whether the weights are trained; setting it sets it on all sub-layers, as in Keras. */
  override get trainable(): boolean {
    return super.trainable;
  }

  override set trainable(trainable: boolean) {
    super.trainable = trainable;
    for (const layer of this.subLayers) layer.trainable = trainable;
  }

  /** Own trainable weights, then those of the sub-layers. Nothing while this layer is frozen. */
  override get trainableWeights(): LayerVariable[] {
    if (!this.trainable) return [];
    return [
      ...super.trainableWeights,
      ...this.subLayers.flatMap((layer) => layer.trainableWeights),
    ];
  }

  override set trainableWeights(weights: LayerVariable[]) {
    super.trainableWeights = weights;
  }

  /** Weights that are not trained; all of them while this layer is frozen. */
  override get nonTrainableWeights(): LayerVariable[] {
    const inner = this.subLayers.flatMap((layer) =>
      this.trainable ? layer.nonTrainableWeights : layer.weights,
    );
    return [...super.nonTrainableWeights, ...inner];
  }

  override set nonTrainableWeights(weights: LayerVariable[]) {
    super.nonTrainableWeights = weights;
  }

  /** Adds losses to those of this layer itself; TensorFlow.js would add them to the list that `losses` makes anew. */
  override addLoss(losses: Parameters<Layer['addLoss']>[0]): void {
    super.losses.push(...[losses].flat());
  }

  /** Regularisation losses of this layer and its sub-layers. */
  override get losses(): Layer['losses'] {
    return [...super.losses, ...this.subLayers.flatMap((layer) => layer.losses)];
  }
}
