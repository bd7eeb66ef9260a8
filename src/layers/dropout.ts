import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { dropout as dropoutOp } from '../ops/dropout.js';
import { assert, describe } from '../util/errors.js';
import { RandomStream } from '../util/random.js';
import type { CallArguments } from './call_arguments.js';
import type { LayerArgs } from './composite_layer.js';
import { knowingOptions, onlyShape, SingleInputLayer } from './single_input_layer.js';

/** Options of `dropout`. */
export interface DropoutArgs extends LayerArgs {
  /** Probability of dropping, 0 ≤ rate < 1. */
  rate: number;
  /** Seed of the layer's random stream. Default: a random one. */
  seed?: number | null;
}

/**
 * Dropout that can be repeated and resumed: while training, each element is 0 with probability `rate`, the others are
 * divided by 1 − rate (Srivastava et al., 2014).
 *
 * Which ones are dropped depends only on the seed and the number of calls made, so a checkpoint that restores the
 * layer's `randomStream` goes on with the same bits; `tf.layers.dropout` cannot. Input of any shape, output the same;
 * no weights.
 */
export class Dropout extends SingleInputLayer {
  /** Name under which saved models find the class; TensorFlow.js has its own Dropout. */
  static readonly className = 'SeededDropout';

  /** Where the layer draws from; its state belongs to a training checkpoint. */
  readonly randomStream: RandomStream;
  private readonly rate: number;
  private readonly seed: number | null;

  /** @param args See `DropoutArgs`. */
  constructor(args: DropoutArgs) {
    super(args);
    const { rate } = args;
    assert(
      typeof rate === 'number' && rate >= 0 && rate < 1,
      () => `Dropout: rate must be at least 0 and below 1, got rate=${describe(rate)}.`,
    );
    this.rate = rate;
    this.seed = args.seed ?? null;
    this.randomStream = new RandomStream(this.seed);
  }

  protected override compute(x: tf.Tensor, { training }: CallArguments): tf.Tensor {
    return dropoutOp(x, this.rate, { seed: this.randomStream, training: Boolean(training) });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return onlyShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), rate: this.rate, seed: this.seed };
  }
}
tf.serialization.registerClass(Dropout);

/**
 * Makes a `Dropout` layer.
 *
 * @param args See `DropoutArgs`.
 * @returns The layer.
 */
export function dropout(args: DropoutArgs): Dropout {
  return knowingOptions(new Dropout(args), args);
}
