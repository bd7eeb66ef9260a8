import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { assertInteger } from '../util/errors.js';
import { stopGradient } from '../util/stop_gradient.js';
import { ArgumentLayer, type ArgumentLayerArgs, type Signature } from './argument_layer.js';
import type { CallArguments } from './call_arguments.js';
import {
  PositionEmbedding,
  POSITION_SIGNATURE,
  refuseSymbolicStart,
} from './position_embedding.js';
import { ReversibleEmbedding } from './reversible_embedding.js';
import { knowingOptions } from './single_input_layer.js';
import { initializer, serialized, type Identifier, type Initializer } from './weight_options.js';

/** Options of `tokenAndPositionEmbedding`, as in keras-hub. */
export interface TokenAndPositionEmbeddingArgs extends ArgumentLayerArgs {
  /** V, number of ids. */
  vocabularySize: number;
  /** L, number of positions. */
  sequenceLength: number;
  /** D, width. */
  embeddingDim: number;
  /** Whether the token embedding projects back by its own table. Default true. */
  tieWeights?: boolean;
  /** Of both tables. Default `uniform`: −0.05 … 0.05. */
  embeddingsInitializer?: Identifier<Initializer>;
  /** Hand on the mask ids ≠ 0 as TensorFlow.js' own layers do. Default false. */
  maskZero?: boolean;
}

/**
 * Token embedding plus learned position embedding (keras-hub's `TokenAndPositionEmbedding`).
 *
 * Inputs: token ids [B, T]; output [B, T, D]. Call arguments `startIndex`, `cache` and `positions` as for
 * `PositionEmbedding`.
 *
 * Weights: `token_embedding/embeddings` [V, D], without `tieWeights` also `token_embedding/reverse_embeddings` [D, V],
 * `position_embedding/embeddings` [L, D].
 */
export class TokenAndPositionEmbedding extends ArgumentLayer {
  /** Name under which saved models find the class. */
  static readonly className = 'TokenAndPositionEmbedding';

  /** The token embedding; its `apply(x, {reverse: true})` gives logits. */
  readonly tokenEmbedding: ReversibleEmbedding;
  private readonly positionEmbedding: PositionEmbedding;
  private readonly embeddingsInitializer: Initializer;
  private readonly tieWeights: boolean;
  private readonly maskZero: boolean;

  /** @param args See `TokenAndPositionEmbeddingArgs`. */
  constructor(args: TokenAndPositionEmbeddingArgs) {
    super({ ...args, dtype: args.dtype ?? 'int32' }); // the dtype is that of the input that tf.sequential makes
    const where = 'TokenAndPositionEmbedding';
    const inputDim = assertInteger(where, 'vocabularySize', args.vocabularySize);
    const sequenceLength = assertInteger(where, 'sequenceLength', args.sequenceLength);
    const outputDim = assertInteger(where, 'embeddingDim', args.embeddingDim);
    this.tieWeights = args.tieWeights ?? true;
    this.maskZero = args.maskZero ?? false;
    this.supportsMasking = this.maskZero;
    this.embeddingsInitializer = initializer(where, args.embeddingsInitializer ?? 'uniform');
    this.tokenEmbedding = this.track(
      new ReversibleEmbedding({
        name: 'token_embedding',
        inputDim,
        outputDim,
        tieWeights: this.tieWeights,
        embeddingsInitializer: this.embeddingsInitializer,
      }),
    );
    this.positionEmbedding = this.track(
      new PositionEmbedding({
        name: 'position_embedding',
        sequenceLength,
        initializer: this.embeddingsInitializer,
      }),
    );
    this.trainable = args.trainable ?? true;
  }

  override get handsOnMask(): boolean {
    return false; // ids have no mask; with `maskZero` one is made here
  }

  protected override signature(): Signature {
    return POSITION_SIGNATURE;
  }

  override apply(...call: Parameters<ArgumentLayer['apply']>): ReturnType<ArgumentLayer['apply']> {
    refuseSymbolicStart(this.name, ...call);
    return super.apply(...call);
  }

  protected override buildFrom({ inputs }: Record<string, tfl.Shape>): void {
    // Open sizes: a length that happens to be D would make ids look like hidden states.
    const ids = inputs.map(() => null);
    this.buildSubLayer(this.tokenEmbedding, ids);
    this.buildSubLayer(this.positionEmbedding, [...ids, this.tokenEmbedding.outputDim]);
  }

  protected override outputShapeFrom({ inputs }: Record<string, tfl.Shape>): tfl.Shape {
    return [...inputs, this.tokenEmbedding.outputDim];
  }

  protected override compute(
    { inputs, positions }: Record<string, tf.Tensor>,
    { startIndex, cache }: CallArguments,
  ): tf.Tensor {
    const tokens = this.tokenEmbedding.apply(inputs, { reverse: false }) as tf.Tensor;
    const place = { startIndex, cache, positions };
    return tf.add(tokens, this.positionEmbedding.apply(tokens, place) as tf.Tensor);
  }

  override computeMask(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const ids = Array.isArray(inputs) ? inputs[0] : inputs;
    return stopGradient(() => tf.notEqual(ids, 0));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {
      ...super.getConfig(),
      vocabularySize: this.tokenEmbedding.inputDim,
      sequenceLength: this.positionEmbedding.sequenceLength,
      embeddingDim: this.tokenEmbedding.outputDim,
      embeddingsInitializer: serialized(this.embeddingsInitializer),
      tieWeights: this.tieWeights,
      maskZero: this.maskZero,
    };
  }
}
tf.serialization.registerClass(TokenAndPositionEmbedding);

/**
 * Makes a `TokenAndPositionEmbedding` layer.
 *
 * @param args See `TokenAndPositionEmbeddingArgs`.
 * @returns The layer.
 */
export function tokenAndPositionEmbedding(
  args: TokenAndPositionEmbeddingArgs,
): TokenAndPositionEmbedding {
  return knowingOptions(new TokenAndPositionEmbedding(args), args, ['inputs']);
}
