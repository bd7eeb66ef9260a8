import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { stopGradient } from '../util/stop_gradient.js';
import { embeddingLookup } from '../ops/embedding_lookup.js';
import { linear } from '../ops/linear.js';
import { softCap } from '../ops/soft_cap.js';
import { assert, assertInteger, assertNumber } from '../util/errors.js';
import { shapeText } from '../util/shapes.js';
import type { CallArguments } from './call_arguments.js';
import type { LayerArgs } from './composite_layer.js';
import { knowingOptions, onlyOne, onlyShape, SingleInputLayer } from './single_input_layer.js';
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

/** Options of `reversibleEmbedding`, as in Keras. */
export interface ReversibleEmbeddingArgs extends LayerArgs {
  /** V, number of ids. */
  inputDim: number;
  /** D, width of a row. */
  outputDim: number;
  /** Whether the projection back uses the transposed table, or a matrix of its own. Default true. */
  tieWeights?: boolean;
  /** Default `uniform`: −0.05 … 0.05. */
  embeddingsInitializer?: Identifier<Initializer>;
  /** Default none. */
  embeddingsRegularizer?: Identifier<Regularizer> | null;
  /** Default none. TensorFlow.js applies constraints only in optimizers of its own. */
  embeddingsConstraint?: Identifier<Constraint> | null;
  /**
   * Hand on the mask ids ≠ 0 as TensorFlow.js' own layers do. Default false. The layers of this package take masks as
   * tensors instead: `paddingMask().apply(ids)`.
   */
  maskZero?: boolean;
  /** Projections back become cap·tanh(logit/cap). Default none. */
  logitSoftCap?: number | null;
}

/** One input as `reversibleEmbedding` sees it, symbolic or not. */
interface Input {
  dtype: tf.DataType;
  shape: tfl.Shape;
}

/**
 * A table of token embeddings that can also project hidden states back to logits (Press & Wolf, "Using the Output
 * Embedding to Improve Language Models", 2017; Keras' `ReversibleEmbedding`).
 *
 *     ids [...]        →  embeddings[ids]                [..., D]
 *     x [B, T, D]      →  softCap(x·embeddingsᵀ)         [B, T, V]      `apply(x, {reverse: true})`
 *
 * TensorFlow.js does not keep `reverse` in a graph, so there the input says what is meant, as it does in eager calls
 * without `reverse`: int32, or at most two axes, is ids; float32 of three axes or more with last axis D is projected
 * back; anything else is an error. Token ids may come as float32, which is what models make of them.
 *
 * The call argument `lastPositionOnly` (used in generation; it reaches every layer of a model) projects only the last
 * position: [B, 1, V].
 *
 * Weights: `embeddings` [V, D], without `tieWeights` also `reverse_embeddings` [D, V].
 */
export class ReversibleEmbedding extends SingleInputLayer {
  /** Name under which saved models find the class. */
  static readonly className = 'ReversibleEmbedding';

  /** V */
  readonly inputDim: number;
  /** D */
  readonly outputDim: number;
  private readonly tieWeights: boolean;
  private readonly embeddingsInitializer: Initializer;
  private readonly embeddingsRegularizer: Regularizer | null;
  private readonly embeddingsConstraint: Constraint | null;
  private readonly maskZero: boolean;
  private readonly logitSoftCap: number | null;

  private embeddings: tfl.LayerVariable | null = null;
  private reverseEmbeddings: tfl.LayerVariable | null = null;
  /** Set while `apply` runs: what the call is. */
  private currentReverse: boolean | null = null;

  /** @param args See `ReversibleEmbeddingArgs`. */
  constructor(args: ReversibleEmbeddingArgs) {
    super({ ...args, dtype: args.dtype ?? 'int32' }); // the dtype is that of the input that tf.sequential makes
    const where = 'ReversibleEmbedding';
    this.inputDim = assertInteger(where, 'inputDim', args.inputDim);
    this.outputDim = assertInteger(where, 'outputDim', args.outputDim);
    this.tieWeights = args.tieWeights ?? true;
    this.embeddingsInitializer = initializer(where, args.embeddingsInitializer ?? 'uniform');
    this.embeddingsRegularizer = regularizer(where, args.embeddingsRegularizer);
    this.embeddingsConstraint = constraint(where, args.embeddingsConstraint);
    this.maskZero = args.maskZero ?? false;
    this.logitSoftCap = args.logitSoftCap ?? null;
    if (this.logitSoftCap !== null) {
      assertNumber(where, 'logitSoftCap', this.logitSoftCap, Number.MIN_VALUE);
    }
    this.supportsMasking = this.maskZero;
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const { inputDim: V, outputDim: D } = this;
    const add = (name: string, shape: number[]): tfl.LayerVariable =>
      this.addWeight(
        name,
        shape,
        'float32',
        this.embeddingsInitializer,
        this.embeddingsRegularizer ?? undefined,
        true,
        this.embeddingsConstraint ?? undefined,
      );
    this.embeddings = add('embeddings', [V, D]);
    if (!this.tieWeights) this.reverseEmbeddings = add('reverse_embeddings', [D, V]);
    super.build(inputShape);
  }

  /**
   * Looks up or projects back.
   *
   * @param inputs Token ids or hidden states, symbolic or not.
   * @param kwargs `reverse`, `lastPositionOnly`.
   * @returns Embeddings or logits.
   * @throws Error when it is not clear which of the two is meant.
   */
  override apply(
    inputs: tf.Tensor | tf.Tensor[] | tfl.SymbolicTensor | tfl.SymbolicTensor[],
    kwargs: CallArguments = {},
  ): tf.Tensor | tf.Tensor[] | tfl.SymbolicTensor | tfl.SymbolicTensor[] {
    const x = onlyOne(this.name, inputs as tf.Tensor | tf.Tensor[]);
    const symbolic = (x as unknown) instanceof tfl.SymbolicTensor;
    const { reverse, ...others } = kwargs;
    this.currentReverse = this.isReverse(x, reverse, symbolic);
    // A model that uses the table both ways releases it once when it is disposed of, so both uses count as one.
    const secondUse = symbolic && this.currentReverse && this.inboundNodes.length > 0;
    try {
      const output = super.apply(x, symbolic ? others : kwargs);
      if (secondUse) this._refCount! -= 1;
      return output;
    } finally {
      this.currentReverse = null;
    }
  }

  /** Which use is meant: what the caller says, else what the input shows. */
  private isReverse(x: Input, said: unknown, symbolic: boolean): boolean {
    if (said !== undefined && said !== null && !symbolic) return Boolean(said);
    const { outputDim: D } = this;
    const rank = x.shape.length;
    const wide = x.shape[rank - 1] === D;
    let reverse: boolean | null = null;
    if (x.dtype === 'int32' || (rank <= 2 && !wide)) reverse = false;
    else if (rank > 2 && wide) reverse = true;
    // Ids of a model whose input is float32, in a batch whose length happens to be D: its graph has said "ids".
    else if (rank <= 2 && !symbolic && this.hasIdsNode()) reverse = false;
    const given = (): string => `${x.dtype} input of shape ${shapeText(x.shape)}`;
    const advice = symbolic
      ? `Token ids come from tf.input({dtype: 'int32', …}), hidden states have shape [B,T,${D}].`
      : `Say {reverse: false} or {reverse: true}, or give token ids as int32.`;
    assert(
      reverse !== null,
      () =>
        `${this.name}: cannot tell token ids from hidden states with last axis D=${D}, got a ${given()}. ${advice}`,
    );
    assert(
      said === undefined || said === null || Boolean(said) === reverse,
      () =>
        `${this.name}: reverse must be ${String(reverse)} for this input inside a model, where TensorFlow.js drops ` +
        `call arguments, got reverse=${String(said)} for a ${given()}. ${advice}`,
    );
    return reverse;
  }

  /** Whether a graph has this layer look up ids of at most two axes; hidden states in a graph have three. */
  private hasIdsNode(): boolean {
    return this.inboundNodes.some((node) => onlyShape(node.inputShapes).length <= 2);
  }

  protected override compute(x: tf.Tensor, kwargs: CallArguments): tf.Tensor {
    const reverse = this.currentReverse ?? this.isReverse(x, kwargs.reverse, false);
    return reverse
      ? this.project(x, Boolean(kwargs.lastPositionOnly))
      : embeddingLookup(this.embeddings!.read(), x);
  }

  private project(x: tf.Tensor, lastPositionOnly: boolean): tf.Tensor {
    const { outputDim: D } = this;
    assert(
      x.rank > 0 && x.shape[x.rank - 1] === D,
      () =>
        `${this.name}: hidden states must have last axis D=${D}, got shape=${shapeText(x.shape)}.`,
    );
    const hidden = lastPositionOnly ? lastPosition(x) : x;
    const logits = this.reverseEmbeddings
      ? linear(hidden, this.reverseEmbeddings.read())
      : linear(hidden, this.embeddings!.read(), null, { transposeKernel: true });
    return this.logitSoftCap === null ? logits : softCap(logits, this.logitSoftCap);
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const shape = onlyShape(inputShape);
    const reverse =
      this.currentReverse ?? this.isReverse({ dtype: 'float32', shape }, undefined, true);
    return reverse ? [...shape.slice(0, -1), this.inputDim] : [...shape, this.outputDim];
  }

  override computeMask(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = onlyOne(this.name, inputs);
    const none = null as unknown as tf.Tensor; // how TensorFlow.js says "none"; its type leaves that out
    if (!this.maskZero || (this.currentReverse ?? this.isReverse(x, undefined, false))) return none;
    return stopGradient(() => tf.notEqual(x, 0));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {
      ...super.getConfig(),
      inputDim: this.inputDim,
      outputDim: this.outputDim,
      embeddingsInitializer: serialized(this.embeddingsInitializer),
      embeddingsRegularizer: serialized(this.embeddingsRegularizer),
      activityRegularizer: null,
      embeddingsConstraint: serialized(this.embeddingsConstraint),
      maskZero: this.maskZero,
      tieWeights: this.tieWeights,
      logitSoftCap: this.logitSoftCap,
    };
  }
}
tf.serialization.registerClass(ReversibleEmbedding);

/**
 * The last position alone, for the call argument `lastPositionOnly`.
 *
 * @param x [B, T, ...], or fewer axes, which are left as they are.
 * @returns [B, 1, ...]
 */
export function lastPosition(x: tf.Tensor): tf.Tensor {
  const [, T = 1] = x.shape;
  return x.rank < 3 || T === 1 ? x : tf.slice(x, [0, T - 1], [-1, 1]);
}

/**
 * Makes a `ReversibleEmbedding` layer.
 *
 * @param args See `ReversibleEmbeddingArgs`.
 * @returns The layer.
 */
export function reversibleEmbedding(args: ReversibleEmbeddingArgs): ReversibleEmbedding {
  return knowingOptions(new ReversibleEmbedding(args), args);
}
