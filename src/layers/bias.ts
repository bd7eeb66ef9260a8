import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { assert } from '../util/errors.js';
import { shapeText } from '../util/shapes.js';
import type { LayerArgs } from './composite_layer.js';
import { knowingOptions, onlyShape, SingleInputLayer } from './single_input_layer.js';
import { initializer } from './weight_options.js';

/**
 * Adds a learned vector: x [..., E] → x + bias. For logits that come from an embedding, which has no bias (BERT's head).
 *
 * Weight: `bias` [E], 0 at first.
 */
export class Bias extends SingleInputLayer {
  /** Name under which saved models find the class. */
  static readonly className = 'Bias';

  private bias: tfl.LayerVariable | null = null;

  /** @param args What every layer takes. */
  constructor(args: LayerArgs = {}) {
    super(args);
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const shape = onlyShape(inputShape);
    const E = shape[shape.length - 1];
    assert(
      typeof E === 'number',
      () =>
        `${this.name}: the last axis of the input must be known, got input=${shapeText(shape)}.`,
    );
    this.bias = this.addWeight('bias', [E], 'float32', initializer(this.name, 'zeros'));
    super.build(inputShape);
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    return tf.add(x, this.bias!.read());
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return onlyShape(inputShape);
  }
}
tf.serialization.registerClass(Bias);

/**
 * Makes a `Bias` layer.
 *
 * @param args What every layer takes.
 * @returns The layer.
 */
export function bias(args: LayerArgs = {}): Bias {
  return knowingOptions(new Bias(args), args);
}
