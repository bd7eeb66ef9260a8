import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { embeddingLookup } from '../ops/embedding_lookup.js';
import { assertInteger } from '../util/errors.js';
import type { LayerArgs } from './composite_layer.js';
import { knowingOptions, onlyShape, SingleInputLayer } from './single_input_layer.js';
import {
  constraint,
  initializer,
  regularizer,
  serialized,
  type Constraint,
  type Identifier,
  type Initializer,
  type Regularizer,
} from './weight_options.js';

/** Options of `embedding`. */
export interface EmbeddingArgs extends LayerArgs {
  /** V, number of ids. */
  inputDim: number;
  /** D, width of a row. */
  outputDim: number;
  /** Default `uniform`: −0.05 … 0.05. */
  embeddingsInitializer?: Identifier<Initializer>;
  /** Default none. */
  embeddingsRegularizer?: Identifier<Regularizer> | null;
  /** Default none. TensorFlow.js applies constraints only in optimizers of its own. */
  embeddingsConstraint?: Identifier<Constraint> | null;
}

/**
 * A table of vectors, one for each id (Keras' `Embedding`).
 *
 * Beside `tf.layers.embedding`, whose gradient the wasm backend does not have. It makes no mask: where ids are padding is
 * said by a tensor, `paddingMask().apply(ids)`.
 *
 * ids [...], int32, or float32 as models make of them → [..., D]. Weight: `embeddings` [V, D].
 */
export class Embedding extends SingleInputLayer {
  /** Name under which saved models find the class; TensorFlow.js has its own Embedding. */
  static readonly className = 'FusedEmbedding';

  private readonly inputDim: number;
  private readonly outputDim: number;
  private readonly embeddingsInitializer: Initializer;
  private readonly embeddingsRegularizer: Regularizer | null;
  private readonly embeddingsConstraint: Constraint | null;
  private embeddings: tfl.LayerVariable | null = null;

  /** @param args See `EmbeddingArgs`. */
  constructor(args: EmbeddingArgs) {
    super({ ...args, dtype: args.dtype ?? 'int32' }); // the dtype is that of the input that tf.sequential makes
    const where = 'Embedding';
    this.supportsMasking = false; // ids have no mask
    this.inputDim = assertInteger(where, 'inputDim', args.inputDim);
    this.outputDim = assertInteger(where, 'outputDim', args.outputDim);
    this.embeddingsInitializer = initializer(where, args.embeddingsInitializer ?? 'uniform');
    this.embeddingsRegularizer = regularizer(where, args.embeddingsRegularizer);
    this.embeddingsConstraint = constraint(where, args.embeddingsConstraint);
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    this.embeddings = this.addWeight(
      'embeddings',
      [this.inputDim, this.outputDim],
      'float32',
      this.embeddingsInitializer,
      this.embeddingsRegularizer ?? undefined,
      true,
      this.embeddingsConstraint ?? undefined,
    );
    super.build(inputShape);
  }

  protected override compute(ids: tf.Tensor): tf.Tensor {
    const numbers = ids.dtype === 'bool' ? tf.cast(ids, 'int32') : ids;
    return embeddingLookup(this.embeddings!.read(), numbers);
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return [...onlyShape(inputShape), this.outputDim];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {
      ...super.getConfig(),
      inputDim: this.inputDim,
      outputDim: this.outputDim,
      embeddingsInitializer: serialized(this.embeddingsInitializer),
      embeddingsRegularizer: serialized(this.embeddingsRegularizer),
      embeddingsConstraint: serialized(this.embeddingsConstraint),
    };
  }
}
tf.serialization.registerClass(Embedding);

/**
 * Makes an `Embedding` layer.
 *
 * @param args See `EmbeddingArgs`.
 * @returns The layer.
 */
export function embedding(args: EmbeddingArgs): Embedding {
  return knowingOptions(new Embedding(args), args);
}
