import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { rotary } from '../ops/rotary.js';
import { assert, assertInteger, assertNumber, describe } from '../util/errors.js';
import { shapeText } from '../util/shapes.js';
import { ArgumentLayer, type ArgumentLayerArgs, type Signature } from './argument_layer.js';
import type { CallArguments } from './call_arguments.js';
import { POSITION_SIGNATURE, refuseSymbolicStart, startOf } from './position_embedding.js';
import { checkedScaling, rotaryOptions, type RotaryScaling } from './rotary_scaling.js';
import { knowingOptions } from './single_input_layer.js';

/** Options of `rotaryEmbedding`, as in keras-hub. */
export interface RotaryEmbeddingArgs extends ArgumentLayerArgs {
  /** Base of the wavelengths. Default 10000. */
  maxWavelength?: number;
  /** Linear scaling: frequencies are divided by it. Default 1. */
  scalingFactor?: number;
  /** Axis of the positions. Default 1. */
  sequenceAxis?: number;
  /** Axis of the features, an even number of them. Default −1. */
  featureAxis?: number;
  /** What stands for R in the exponent −2i/R. Default: the number of features. */
  denominatorDim?: number | null;
  /** Only `linear`: other scalings are defined as in Hugging Face, by `scaling`. */
  ropeType?: 'linear';
  /** Beyond keras-hub: linear, dynamic, YaRN or Llama-3 scaling as in Hugging Face. Default none. */
  scaling?: RotaryScaling | null;
}

/**
 * Rotary position embedding in the rotate-half layout (Su et al., "RoFormer", 2021; keras-hub's `RotaryEmbedding`):
 * features i and i + R/2 are turned by position · maxWavelength^(−2i/R) / scalingFactor. See `ops.rotary`.
 *
 * Inputs [B, …] with the positions along `sequenceAxis` and the features along `featureAxis`, for example queries
 * [B, T, N, H]; output the same shape. Call arguments: `startIndex`, the position of the first token, 0 by default, or the
 * number of tokens in `cache`; `positions` [T] or [B, T], which win over both. Inside `tf.model` give positions by name or
 * as an input, `inputs: ['inputs', 'positions']`. No weights.
 */
export class RotaryEmbedding extends ArgumentLayer {
  /** Name under which saved models find the class. */
  static readonly className = 'RotaryEmbedding';

  private readonly maxWavelength: number;
  private readonly scalingFactor: number;
  private readonly sequenceAxis: number;
  private readonly featureAxis: number;
  private readonly denominatorDim: number | null;
  private readonly scaling: RotaryScaling | null;

  /** @param args See `RotaryEmbeddingArgs`. */
  constructor(args: RotaryEmbeddingArgs = {}) {
    super(args);
    const where = 'RotaryEmbedding';
    this.maxWavelength = assertNumber(where, 'maxWavelength', args.maxWavelength ?? 10000, 1);
    this.scalingFactor = assertNumber(
      where,
      'scalingFactor',
      args.scalingFactor ?? 1,
      Number.MIN_VALUE,
    );
    this.sequenceAxis = assertInteger(where, 'sequenceAxis', args.sequenceAxis ?? 1, -Infinity);
    this.featureAxis = assertInteger(where, 'featureAxis', args.featureAxis ?? -1, -Infinity);
    this.denominatorDim = args.denominatorDim ?? null;
    this.scaling = checkedScaling(where, args.scaling);
    assert(
      this.sequenceAxis !== this.featureAxis,
      () =>
        `${where}: sequenceAxis and featureAxis must differ, got sequenceAxis=${this.sequenceAxis}, ` +
        `featureAxis=${this.featureAxis}.`,
    );
    assert(
      (args.ropeType ?? 'linear') === 'linear',
      () =>
        `${where}: ropeType must be 'linear', got ropeType=${describe(args.ropeType)}. ` +
        "Give Hugging Face's scaling, for example scaling: {type: 'yarn', factor: 4, originalMaxPositionEmbeddings: 4096}.",
    );
  }

  protected override signature(): Signature {
    return POSITION_SIGNATURE;
  }

  override apply(...call: Parameters<ArgumentLayer['apply']>): ReturnType<ArgumentLayer['apply']> {
    refuseSymbolicStart(this.name, ...call);
    return super.apply(...call);
  }

  protected override buildFrom({ inputs }: Record<string, tfl.Shape>): void {
    this.axesOf(inputs); // refuses shapes that do not fit
  }

  protected override outputShapeFrom({ inputs }: Record<string, tfl.Shape>): tfl.Shape {
    return inputs;
  }

  /** Batch, positions, all others, features: the order of axes that the operation wants. */
  private axesOf(shape: tfl.Shape): number[] {
    const rank = shape.length;
    const [sequence, feature] = [this.sequenceAxis, this.featureAxis].map((axis) =>
      axis < 0 ? axis + rank : axis,
    );
    assert(
      rank >= 3 &&
        sequence > 0 &&
        sequence < rank &&
        feature > 0 &&
        feature < rank &&
        sequence !== feature,
      () =>
        `${this.name}: inputs must have a batch axis, sequenceAxis=${this.sequenceAxis} and featureAxis=` +
        `${this.featureAxis}, got inputs=${shapeText(shape)}.`,
    );
    const size = shape[feature];
    assert(
      size !== null && size % 2 === 0,
      () => `${this.name}: the number of features must be even, got inputs=${shapeText(shape)}.`,
    );
    const others = shape
      .map((_, axis) => axis)
      .filter((axis) => axis > 0 && axis !== sequence && axis !== feature);
    return [0, sequence, ...others, feature];
  }

  protected override compute(
    { inputs, positions }: Record<string, tf.Tensor>,
    kwargs: CallArguments,
  ): tf.Tensor {
    const order = this.axesOf(inputs.shape);
    const inPlace = order.every((axis, i) => axis === i);
    const x = inPlace ? inputs : tf.transpose(inputs, order);
    const [B, T] = x.shape;
    const H = x.shape[x.rank - 1];
    const start = (positions as unknown) ? 0 : startOf(this.name, kwargs);
    const place = (positions as unknown) ? { positions } : { offset: start };
    const options = { ...this.optionsFor(H, start + T), ...place };
    const turned = rotary(x.rank === 3 ? x : tf.reshape(x, [B, T, -1, H]), options);
    const shaped = tf.reshape(turned, x.shape);
    return inPlace
      ? shaped
      : tf.transpose(
          shaped,
          order.map((_, axis) => order.indexOf(axis)),
        );
  }

  /** Options of the operation for H features and a length so far. */
  private optionsFor(H: number, length: number): ReturnType<typeof rotaryOptions> {
    const { maxWavelength, scalingFactor, scaling, denominatorDim } = this;
    if (denominatorDim === null) {
      return rotaryOptions({ maxWavelength, scalingFactor, scaling }, H, length);
    }
    const inverseFrequencies = Array.from(
      { length: H / 2 },
      (_, i) => maxWavelength ** ((-2 * i) / denominatorDim) / scalingFactor,
    );
    return rotaryOptions({ maxWavelength, inverseFrequencies, scaling }, H, length);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {
      ...super.getConfig(),
      maxWavelength: this.maxWavelength,
      scalingFactor: this.scalingFactor,
      ropeType: 'linear',
      sequenceAxis: this.sequenceAxis,
      featureAxis: this.featureAxis,
      denominatorDim: this.denominatorDim,
      ...(this.scaling ? { scaling: this.scaling as unknown as tf.serialization.ConfigDict } : {}),
    };
  }
}
tf.serialization.registerClass(RotaryEmbedding);

/**
 * Makes a `RotaryEmbedding` layer.
 *
 * @param args See `RotaryEmbeddingArgs`.
 * @returns The layer.
 */
export function rotaryEmbedding(args: RotaryEmbeddingArgs = {}): RotaryEmbedding {
  return knowingOptions(new RotaryEmbedding(args), args, ['inputs', 'scaling']);
}
