import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { embeddingLookup } from '../ops/embedding_lookup.js';
import { assert, assertInteger } from '../util/errors.js';
import { shapeText } from '../util/shapes.js';
import { ArgumentLayer, type ArgumentLayerArgs, type Signature } from './argument_layer.js';
import { knowingOptions } from './single_input_layer.js';
import { initializer, serialized, type Identifier, type Initializer } from './weight_options.js';

/** Options of `tokenTypeEmbedding`. */
export interface TokenTypeEmbeddingArgs extends ArgumentLayerArgs {
  /** Number of types. */
  numTypes: number;
  /** Default `glorotUniform`. */
  initializer?: Identifier<Initializer>;
}

/**
 * Embeddings of token types, BERT's "segments" (Devlin et al., 2019): row `tokenTypeIds[b, t]` of the table for token t,
 * or row 0 for all of them. It is not added: `tf.layers.add().apply([x, types.apply(x, {tokenTypeIds})])`.
 *
 * Inputs x [B, T, D] and, second or by the name `tokenTypeIds`, ids [B, T]; output [B, T, D]. Weight: `embeddings` [types, D].
 */
export class TokenTypeEmbedding extends ArgumentLayer {
  /** Name under which saved models find the class. */
  static readonly className = 'TokenTypeEmbedding';

  private readonly numTypes: number;
  private readonly initializer: Initializer;
  private embeddings: tfl.LayerVariable | null = null;

  /** @param args See `TokenTypeEmbeddingArgs`. */
  constructor(args: TokenTypeEmbeddingArgs) {
    super(args);
    this.numTypes = assertInteger('TokenTypeEmbedding', 'numTypes', args.numTypes);
    this.initializer = initializer('TokenTypeEmbedding', args.initializer ?? 'glorotUniform');
  }

  protected override signature(): Signature {
    return { tensors: ['inputs', 'tokenTypeIds'], positional: 2, flags: [] };
  }

  protected override buildFrom({ inputs }: Record<string, tfl.Shape>): void {
    const D = inputs[inputs.length - 1];
    assert(
      inputs.length === 3 && typeof D === 'number',
      () =>
        `${this.name}: inputs must have shape [B,T,D] with a known D, got inputs=${shapeText(inputs)}.`,
    );
    this.embeddings = this.addWeight('embeddings', [this.numTypes, D], 'float32', this.initializer);
  }

  protected override outputShapeFrom({ inputs }: Record<string, tfl.Shape>): tfl.Shape {
    return inputs;
  }

  protected override compute({ inputs, tokenTypeIds }: Record<string, tf.Tensor>): tf.Tensor {
    const [B, T] = inputs.shape;
    const given = tokenTypeIds as tf.Tensor | undefined;
    assert(
      given === undefined || given.shape.join() === `${B},${T}`,
      () =>
        `${this.name}: tokenTypeIds must have shape [B,T]=[${B},${T}], got tokenTypeIds=${shapeText(given!.shape)}.`,
    );
    return embeddingLookup(this.embeddings!.read(), given ?? tf.zeros([B, T], 'int32'));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {
      ...super.getConfig(),
      numTypes: this.numTypes,
      initializer: serialized(this.initializer),
    };
  }
}
tf.serialization.registerClass(TokenTypeEmbedding);

/**
 * Makes a `TokenTypeEmbedding` layer.
 *
 * @param args See `TokenTypeEmbeddingArgs`.
 * @returns The layer.
 */
export function tokenTypeEmbedding(args: TokenTypeEmbeddingArgs): TokenTypeEmbedding {
  return knowingOptions(new TokenTypeEmbedding(args), args, ['inputs']);
}
