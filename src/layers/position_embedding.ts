import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { KVCache } from '../cache/kv_cache.js';
import { embeddingLookup } from '../ops/embedding_lookup.js';
import { sumToAxes } from '../util/axes.js';
import { assert, assertInteger } from '../util/errors.js';
import { broadcastNumbers } from '../util/broadcast.js';
import { broadcastsTo, shapeText } from '../util/shapes.js';
import { ArgumentLayer, type ArgumentLayerArgs, type Signature } from './argument_layer.js';
import type { CallArguments } from './call_arguments.js';
import { knowingOptions } from './single_input_layer.js';
import { initializer, serialized, type Identifier, type Initializer } from './weight_options.js';

/** Options of `positionEmbedding`, as in keras-hub. */
export interface PositionEmbeddingArgs extends ArgumentLayerArgs {
  /** L, number of positions. */
  sequenceLength: number;
  /** Default `glorotUniform`. */
  initializer?: Identifier<Initializer>;
}

/** Inputs whose positions are encoded: a sequence of T vectors and, if need be, where they stand. */
export const POSITION_SIGNATURE: Signature = {
  tensors: ['inputs', 'positions'],
  positional: 1,
  flags: [],
};

/**
 * Learned position embeddings (keras-hub's `PositionEmbedding`): row t of the table for token t, broadcast to the
 * shape of the inputs. It is not added: `tf.layers.add().apply([x, positions.apply(x)])`.
 *
 * Inputs [B, T, D]; output the same shape. Call arguments: `startIndex`, the position of the first token, 0 by
 * default, or the number of tokens in `cache`; `positions` [T] or [B, T], which win over both, and which are not
 * checked on the device. Inside `tf.model` give positions by name or as an input, `inputs: ['inputs', 'positions']`.
 *
 * Weight: `embeddings` [L, D]. More than L tokens are an error.
 */
export class PositionEmbedding extends ArgumentLayer {
  /** Name under which saved models find the class. */
  static readonly className = 'PositionEmbedding';

  /** L */
  readonly sequenceLength: number;
  private readonly initializer: Initializer;
  private embeddings: tfl.LayerVariable | null = null;

  /** @param args See `PositionEmbeddingArgs`. */
  constructor(args: PositionEmbeddingArgs) {
    super(args);
    const where = 'PositionEmbedding';
    this.sequenceLength = assertInteger(where, 'sequenceLength', args.sequenceLength);
    this.initializer = initializer(where, args.initializer ?? 'glorotUniform');
  }

  protected override signature(): Signature {
    return POSITION_SIGNATURE;
  }

  override apply(...call: Parameters<ArgumentLayer['apply']>): ReturnType<ArgumentLayer['apply']> {
    refuseSymbolicStart(this.name, ...call);
    return super.apply(...call);
  }

  protected override buildFrom({ inputs }: Record<string, tfl.Shape>): void {
    const D = inputs[inputs.length - 1];
    assert(
      inputs.length >= 2 && typeof D === 'number',
      () =>
        `${this.name}: inputs must have shape [B,T,D] with a known D, got inputs=${shapeText(inputs)}.`,
    );
    this.embeddings = this.addWeight(
      'embeddings',
      [this.sequenceLength, D],
      'float32',
      this.initializer,
    );
  }

  protected override outputShapeFrom({ inputs }: Record<string, tfl.Shape>): tfl.Shape {
    return inputs;
  }

  protected override compute(
    { inputs, positions }: Record<string, tf.Tensor>,
    kwargs: CallArguments,
  ): tf.Tensor {
    const table = this.embeddings!.read();
    const [T, D] = inputs.shape.slice(-2);
    if (positions as unknown) {
      assertPositions(this.name, positions, inputs);
      return broadcastRows(embeddingLookup(table, positions), inputs.shape);
    }
    const start = startOf(this.name, kwargs);
    assert(
      T + start <= this.sequenceLength,
      () =>
        `PositionEmbedding: sequence of ${T} tokens from position ${start} does not fit ` +
        `sequenceLength=${this.sequenceLength}. Cut the sequence, or build the layer with a larger sequenceLength.`,
    );
    return broadcastRows(tf.slice(table, [start, 0], [T, D]), inputs.shape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {
      ...super.getConfig(),
      sequenceLength: this.sequenceLength,
      initializer: serialized(this.initializer),
    };
  }
}
tf.serialization.registerClass(PositionEmbedding);

/**
 * Makes a `PositionEmbedding` layer.
 *
 * @param args See `PositionEmbeddingArgs`.
 * @returns The layer.
 */
export function positionEmbedding(args: PositionEmbeddingArgs): PositionEmbedding {
  return knowingOptions(new PositionEmbedding(args), args, ['inputs']);
}

/**
 * Position of the first token of a call.
 *
 * @param where Name of the layer, for the error.
 * @param kwargs Call arguments `startIndex` and `cache`.
 * @returns `startIndex`, else the number of tokens in the cache, else 0.
 */
export function startOf(where: string, { startIndex, cache }: CallArguments): number {
  if (startIndex !== undefined && startIndex !== null) {
    return assertInteger(where, 'startIndex', startIndex, 0);
  }
  return cache instanceof KVCache ? cache.length : 0;
}

/**
 * Checks the shape of positions.
 *
 * @param where Name of the layer, for the error.
 * @param positions [T] or [B, T].
 * @param inputs [B, T, D].
 */
export function assertPositions(where: string, positions: tf.Tensor, inputs: tf.Tensor): void {
  const tokens = inputs.shape.slice(0, -1);
  assert(
    positions.rank > 0 &&
      positions.shape[positions.rank - 1] === tokens[tokens.length - 1] &&
      broadcastsTo(positions.shape, tokens),
    () =>
      `${where}: positions must have shape [T] or [B,T] for inputs ${shapeText(inputs.shape)}, ` +
      `got positions=${shapeText(positions.shape)}.`,
  );
}

/**
 * Refuses `startIndex` in a graph, where TensorFlow.js would drop it.
 *
 * @param where Name of the layer.
 * @param inputs What `apply` was given.
 * @param kwargs What `apply` was given.
 */
export function refuseSymbolicStart(
  where: string,
  inputs: Parameters<ArgumentLayer['apply']>[0],
  kwargs: CallArguments = {},
): void {
  const first = Array.isArray(inputs) ? inputs[0] : inputs;
  assert(
    !(first instanceof tfl.SymbolicTensor) || (kwargs.startIndex ?? 0) === 0,
    () =>
      `${where}: startIndex has no effect inside a model, where TensorFlow.js drops call arguments, ` +
      `got startIndex=${String(kwargs.startIndex)}. Give positions as an input: inputs: ['inputs', 'positions'].`,
  );
}

/** Repeats rows along the axes in front of them; their gradient is one product, not a sum of slices. */
function broadcastRows(rows: tf.Tensor, shape: number[]): tf.Tensor {
  if (rows.shape.join() === shape.join()) return rows;
  const [T, D] = shape.slice(-2);
  if (rows.rank > 2 && rows.shape[0] !== 1) return broadcastNumbers(rows, shape);
  return tf.customGrad((x) => ({
    value: broadcastNumbers(tf.reshape(x as tf.Tensor, [T, D]), shape),
    gradFunc: (dy: tf.Tensor) =>
      tf.reshape(sumToAxes(dy, [shape.length - 2, shape.length - 1]), rows.shape),
  }))(rows);
}
