import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { alibiSlopes } from '../ops/alibi.js';
import { assert, assertNumber } from '../util/errors.js';
import { shapeText } from '../util/shapes.js';
import type { LayerArgs } from './composite_layer.js';
import { knowingOptions, onlyShape, SingleInputLayer } from './single_input_layer.js';

/** Options of `alibiBias`, as in keras-hub. */
export interface AlibiBiasArgs extends LayerArgs {
  /** Exponent of the steepest slope: 2^−max. Default 8. */
  alibiBiasMax?: number;
}

/**
 * Attention with linear biases, added to scores (Press et al., "Train Short, Test Long", 2022; keras-hub's `AlibiBias`).
 *
 *     output[b, n, t, s] = scores[b, n, t, s] + slope[n]·(s − S + 1)
 *
 * Scores [B, N, T, S], or [B, N, S]; output the same shape. The bias depends on the key only, so it is right under a causal
 * mask; attention layers with the option `alibi: true` use −slope·|t − s|, which is right without one too.
 */
export class AlibiBias extends SingleInputLayer {
  /** Name under which saved models find the class. */
  static readonly className = 'AlibiBias';

  private readonly alibiBiasMax: number;

  /** @param args See `AlibiBiasArgs`. */
  constructor(args: AlibiBiasArgs = {}) {
    super(args);
    this.supportsMasking = false; // scores are no sequence of steps
    const { alibiBiasMax = 8 } = args;
    this.alibiBiasMax = assertNumber('AlibiBias', 'alibiBiasMax', alibiBiasMax, Number.MIN_VALUE);
  }

  protected override compute(scores: tf.Tensor): tf.Tensor {
    this.computeOutputShape(scores.shape); // refuses another rank
    const [N, S] = [scores.shape[1], scores.shape[scores.rank - 1]] as [number, number];
    const slopes = alibiSlopes(N, this.alibiBiasMax);
    const bias = Float32Array.from(
      { length: N * S },
      (_, i) => slopes[Math.floor(i / S)] * ((i % S) - S + 1),
    );
    const shape = scores.rank === 4 ? [1, N, 1, S] : [1, N, S];
    return tf.add(scores, tf.tensor(bias, shape));
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const shape = onlyShape(inputShape);
    assert(
      shape.length === 3 || shape.length === 4,
      () => `${this.name}: scores must have shape [B,N,T,S] or [B,N,S], got ${shapeText(shape)}.`,
    );
    return shape;
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), alibiBiasMax: this.alibiBiasMax };
  }
}
tf.serialization.registerClass(AlibiBias);

/**
 * Makes an `AlibiBias` layer.
 *
 * @param args See `AlibiBiasArgs`.
 * @returns The layer.
 */
export function alibiBias(args: AlibiBiasArgs = {}): AlibiBias {
  return knowingOptions(new AlibiBias(args), args);
}
