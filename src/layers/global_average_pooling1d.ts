import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { toBool } from '../masks/to_bool.js';
import { assert } from '../util/errors.js';
import { shapeText } from '../util/shapes.js';
import { stopGradient } from '../util/stop_gradient.js';
import { ArgumentLayer, type ArgumentLayerArgs, type Signature } from './argument_layer.js';
import { knowingOptions } from './single_input_layer.js';

/**
 * Mean over the real tokens of each row. TensorFlow.js' own layer averages padding in.
 *
 *     output[b] = Σ_t mask[b, t]·x[b, t] / max(1, Σ_t mask[b, t])
 *
 * Inputs: x [B, T, D] and, second or by the name `paddingMask`, a mask [B, T] or [B, 1, 1, T], nonzero = real;
 * output [B, D]. A row without a real token gives 0. What is at a masked position has no effect, whatever it is.
 * Without a mask it is the plain mean. No weights.
 */
export class GlobalAveragePooling1D extends ArgumentLayer {
  /** Name under which saved models find the class; TensorFlow.js has its own GlobalAveragePooling1D. */
  static readonly className = 'MaskedGlobalAveragePooling1D';

  /** @param args See `ArgumentLayerArgs`. */
  constructor(args: ArgumentLayerArgs = {}) {
    super(args);
  }

  protected override signature(): Signature {
    const carriedMasks = [{ of: ['inputs'], as: 'paddingMask', unless: [] }];
    return { tensors: ['inputs', 'paddingMask'], positional: 2, flags: [], carriedMasks };
  }

  override get handsOnMask(): boolean {
    return false; // the output has no steps
  }

  protected override buildFrom(): void {
    // no weights
  }

  protected override outputShapeFrom({ inputs }: Record<string, tfl.Shape>): tfl.Shape {
    assert(
      inputs.length === 3,
      () => `${this.name}: inputs must have shape [B,T,D], got inputs=${shapeText(inputs)}.`,
    );
    return [inputs[0], inputs[2]];
  }

  protected override compute({ inputs, paddingMask }: Record<string, tf.Tensor>): tf.Tensor {
    this.outputShapeFrom({ inputs: inputs.shape }); // refuses another rank
    const [B, T] = inputs.shape;
    if (!(paddingMask as unknown)) return tf.mean(inputs, 1);
    const shape = paddingMask.shape.join();
    assert(
      shape === `${B},${T}` || shape === `${B},1,1,${T}`,
      () =>
        `${this.name}: paddingMask must have shape [B,T]=[${B},${T}] or [B,1,1,T], ` +
        `got paddingMask=${shapeText(paddingMask.shape)}.`,
    );
    const mask = tf.reshape(toBool(paddingMask, this.name, 'paddingMask'), [B, T, 1]);
    const real = stopGradient(() => tf.broadcastTo(mask, inputs.shape));
    // Over the last axis: on WebGPU a sum of a cast bool over another axis gives 0 (its transpose does not compile).
    const count = tf.sum(tf.cast(tf.reshape(mask, [B, T]), 'float32'), -1, true); // [B,1]
    return tf.div(tf.sum(tf.where(real, inputs, tf.zerosLike(inputs)), 1), tf.maximum(count, 1));
  }
}
tf.serialization.registerClass(GlobalAveragePooling1D);

/**
 * Makes a `GlobalAveragePooling1D` layer that honours a mask.
 *
 * @param args See `ArgumentLayerArgs`.
 * @returns The layer.
 */
export function globalAveragePooling1d(args: ArgumentLayerArgs = {}): GlobalAveragePooling1D {
  return knowingOptions(new GlobalAveragePooling1D(args), args, ['inputs']);
}
