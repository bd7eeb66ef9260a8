import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { sinCos } from '../ops/sin_cos.js';
import { broadcastNumbers } from '../util/broadcast.js';
import { assertNumber } from '../util/errors.js';
import { stopGradient } from '../util/stop_gradient.js';
import { ArgumentLayer, type ArgumentLayerArgs, type Signature } from './argument_layer.js';
import type { CallArguments } from './call_arguments.js';
import {
  assertPositions,
  POSITION_SIGNATURE,
  refuseSymbolicStart,
  startOf,
} from './position_embedding.js';
import { knowingOptions } from './single_input_layer.js';

/** Options of `sinePositionEncoding`, as in keras-hub. */
export interface SinePositionEncodingArgs extends ArgumentLayerArgs {
  /** Default 10000. */
  maxWavelength?: number;
}

/**
 * Fixed position encodings of sines and cosines (Vaswani et al., 2017; keras-hub's `SinePositionEncoding`), broadcast
 * to the shape of the inputs, not added.
 *
 *     angle[t, j] = position[t] · maxWavelength^(−2⌊j/2⌋/D)      output: sin(angle) for even j, cos(angle) for odd j
 *
 * Inputs [B, T, D]; output the same shape. Call arguments as for `PositionEmbedding`: `startIndex`, `cache`,
 * `positions` [T] or [B, T]. There is no limit to the positions and there are no weights.
 */
export class SinePositionEncoding extends ArgumentLayer {
  /** Name under which saved models find the class. */
  static readonly className = 'SinePositionEncoding';

  private readonly maxWavelength: number;

  /** @param args See `SinePositionEncodingArgs`. */
  constructor(args: SinePositionEncodingArgs = {}) {
    super(args);
    this.maxWavelength = assertNumber(
      'SinePositionEncoding',
      'maxWavelength',
      args.maxWavelength ?? 10000,
      1,
    );
  }

  protected override signature(): Signature {
    return POSITION_SIGNATURE;
  }

  override apply(...call: Parameters<ArgumentLayer['apply']>): ReturnType<ArgumentLayer['apply']> {
    refuseSymbolicStart(this.name, ...call);
    return super.apply(...call);
  }

  protected override buildFrom(): void {
    // no weights
  }

  protected override outputShapeFrom({ inputs }: Record<string, tfl.Shape>): tfl.Shape {
    return inputs;
  }

  protected override compute(
    { inputs, positions }: Record<string, tf.Tensor>,
    kwargs: CallArguments,
  ): tf.Tensor {
    const [T, D] = inputs.shape.slice(-2);
    const frequency = (j: number): number => this.maxWavelength ** ((-2 * Math.floor(j / 2)) / D);
    if (positions as unknown) {
      assertPositions(this.name, positions, inputs);
      return stopGradient(() => {
        const pairs = Float32Array.from({ length: Math.ceil(D / 2) }, (_, i) => frequency(2 * i));
        const both = tf.stack(sinCos(positions, pairs), -1); // [..., ⌈D/2⌉, 2]
        const encoding = tf.reshape(both, [...positions.shape, 2 * pairs.length]);
        const starts = encoding.shape.map(() => 0);
        return broadcastNumbers(
          D % 2 === 0 ? encoding : tf.slice(encoding, starts, [...positions.shape, D]),
          inputs.shape,
        );
      });
    }
    // Known on the host: one upload, and no device's idea of sin(10⁵).
    const start = startOf(this.name, kwargs);
    const rows = new Float32Array(T * D);
    for (let i = 0; i < rows.length; i++) {
      const angle = (start + Math.floor(i / D)) * frequency(i % D);
      rows[i] = (i % D) % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    }
    return broadcastNumbers(tf.tensor2d(rows, [T, D]), inputs.shape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), maxWavelength: this.maxWavelength };
  }
}
tf.serialization.registerClass(SinePositionEncoding);

/**
 * Makes a `SinePositionEncoding` layer.
 *
 * @param args See `SinePositionEncodingArgs`.
 * @returns The layer.
 */
export function sinePositionEncoding(args: SinePositionEncodingArgs = {}): SinePositionEncoding {
  return knowingOptions(new SinePositionEncoding(args), args, ['inputs']);
}
