import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { assert } from '../util/errors.js';
import { shapeText } from '../util/shapes.js';
import type { LayerArgs } from './composite_layer.js';
import { knowingOptions, onlyShape, SingleInputLayer } from './single_input_layer.js';

/**
 * What stands at the first token of each row, in BERT the one that is read for the whole row: x [B, T, D] → x[:, 0] [B, D].
 */
export class FirstToken extends SingleInputLayer {
  /** Name under which saved models find the class. */
  static readonly className = 'FirstToken';

  /** @param args What every layer takes. */
  constructor(args: LayerArgs = {}) {
    super(args);
    this.supportsMasking = false; // the output has no steps
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const [B, D] = this.computeOutputShape(x.shape) as [number, number];
    return tf.reshape(tf.slice(x, [0, 0, 0], [B, 1, D]), [B, D]);
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const shape = onlyShape(inputShape);
    assert(
      shape.length === 3,
      () => `${this.name}: input must have shape [B,T,D], got shape=${shapeText(shape)}.`,
    );
    return [shape[0], shape[2]];
  }
}
tf.serialization.registerClass(FirstToken);

/**
 * Makes a `FirstToken` layer.
 *
 * @param args What every layer takes.
 * @returns The layer.
 */
export function firstToken(args: LayerArgs = {}): FirstToken {
  return knowingOptions(new FirstToken(args), args);
}
