/**
 * Attention over other axes than the second one: the attended axes are flattened into one, all other axes into the
 * batch, so that the operation only ever sees [B, T, N, H]. Keras' `attention_axes`.
 *
 *     x [B, d₁ … d_k, N, H]  →  [B·Π others, Π attended, N, H]
 */
import * as tf from '@tensorflow/tfjs-core';
import { assert, describe } from '../util/errors.js';
import { broadcastsTo, shapeText, sizeOf } from '../util/shapes.js';

/** Where the axes of one input go. */
export class AttendedAxes {
  /** Attended axes of the input, in the order in which scores list them. */
  readonly attended: number[];
  /** The other axes between batch and features. */
  readonly others: number[];

  /**
   * @param where Name of the layer, for errors.
   * @param rank Rank of the input, [B, d₁ … d_k, D].
   * @param axes Attended axes, negative ones counted from the end of the input; null for all of d₁ … d_k.
   */
  constructor(
    where: string,
    readonly rank: number,
    axes: readonly number[] | null,
  ) {
    const inner = Array.from({ length: rank - 2 }, (_, i) => i + 1);
    this.attended = axes === null ? inner : axes.map((axis) => (axis < 0 ? axis + rank : axis));
    assert(
      this.attended.length > 0 &&
        new Set(this.attended).size === this.attended.length &&
        this.attended.every((axis) => inner.includes(axis)),
      () =>
        `${where}: attentionAxes must be different axes between 1 and ${rank - 2} for inputs of rank ${rank}, ` +
        `got attentionAxes=${describe(axes)}.`,
    );
    this.others = inner.filter((axis) => !this.attended.includes(axis));
  }

  /** Whether the layout is the plain one, [B, T, D]. */
  get plain(): boolean {
    return this.rank === 3;
  }

  /**
   * Brings a projected input into the layout of the operation.
   *
   * @param x [B, d₁ … d_k, N, H]
   * @returns [B·Π others, Π attended, N, H]
   */
  flatten(x: tf.Tensor): tf.Tensor4D {
    if (this.plain) return x as tf.Tensor4D;
    const { rank } = this;
    const order = [0, ...this.others, ...this.attended, rank - 1, rank];
    const [N, H] = x.shape.slice(-2);
    return tf.reshape(tf.transpose(x, order), [
      x.shape[0] * this.product(x.shape, this.others),
      this.product(x.shape, this.attended),
      N,
      H,
    ]);
  }

  /**
   * Undoes `flatten` for an output.
   *
   * @param x [B·Π others, Π attended, N, H]
   * @param inputShape Shape of the input, [B, d₁ … d_k, D].
   * @returns [B, d₁ … d_k, N, H]
   */
  restore(x: tf.Tensor4D, inputShape: readonly number[]): tf.Tensor {
    if (this.plain) return x;
    const { rank } = this;
    const order = [0, ...this.others, ...this.attended, rank - 1, rank];
    const sizes = order.slice(0, -2).map((axis) => inputShape[axis]);
    const back = order.map((_, axis) => order.indexOf(axis));
    return tf.transpose(tf.reshape(x, [...sizes, ...x.shape.slice(-2)]), back);
  }

  /**
   * Shape of scores as Keras lays them out: batch and other axes, heads, attended axes of query and of key.
   *
   * @param queryShape [B, d₁ … d_k, D]
   * @param keyShape [B, e₁ … e_k, D]
   * @param numHeads N
   * @returns [B, others, N, attended of query, attended of key]
   */
  scoresShape<Size extends number | null>(
    queryShape: readonly Size[],
    keyShape: readonly Size[],
    numHeads: Size,
  ): Size[] {
    const pick = (shape: readonly Size[], axes: number[]): Size[] =>
      axes.map((axis) => shape[axis]);
    return [
      queryShape[0],
      ...pick(queryShape, this.others),
      numHeads,
      ...pick(queryShape, this.attended),
      ...pick(keyShape, this.attended),
    ];
  }

  /**
   * Brings a mask over scores into the layout of the operation. A mask of lower rank applies to all heads (and other
   * axes); missing axes are put in front of the attended ones, as in Keras.
   *
   * @param where Name of the layer, for errors.
   * @param mask Bool, broadcastable to the scores' shape after axes for heads are put in.
   * @param scoresShape What `scoresShape` returns.
   * @returns Bool, broadcastable to [B', N, T', S'].
   */
  flattenMask(where: string, mask: tf.Tensor, scoresShape: number[]): tf.Tensor {
    const k = this.attended.length;
    const missing = scoresShape.length - mask.rank;
    const head = Math.max(0, mask.rank - 2 * k);
    const shape = [
      ...mask.shape.slice(0, head),
      ...Array<number>(Math.max(0, missing)).fill(1),
      ...mask.shape.slice(head),
    ];
    assert(
      mask.rank >= 2 * k && broadcastsTo(shape, scoresShape),
      () =>
        `${where}: attentionMask must be [T,S], [B,T,S] or broadcastable to ${shapeText(scoresShape)}, ` +
        `got attentionMask=${shapeText(mask.shape)}.`,
    );
    const widened = tf.reshape(mask, shape);
    if (this.plain) return widened;
    const full = tf.broadcastTo(widened, scoresShape);
    return tf.reshape(full, [
      sizeOf(scoresShape.slice(0, 1 + this.others.length)),
      scoresShape[1 + this.others.length],
      sizeOf(scoresShape.slice(-2 * k, -k)),
      sizeOf(scoresShape.slice(-k)),
    ]);
  }

  /**
   * Brings a mask over positions into the layout of the operation.
   *
   * @param where Name of the layer, for errors.
   * @param name Name of the argument, for errors.
   * @param mask [B, d₁ … d_k], or [B, 1, 1, S] for plain inputs.
   * @param inputShape Shape of the input that it masks.
   * @returns [B·Π others, Π attended]
   */
  flattenPositions(
    where: string,
    name: string,
    mask: tf.Tensor,
    inputShape: readonly number[],
  ): tf.Tensor2D {
    const expected = inputShape.slice(0, -1);
    const [B, S] = expected;
    const shape = mask.shape.join();
    if (this.plain && (shape === `${B},1,1,${S}` || shape === `1,1,1,${S}`)) {
      return tf.reshape(mask, [mask.shape[0], S]);
    }
    assert(
      broadcastsTo(mask.shape, expected) && mask.rank === expected.length,
      () =>
        `${where}: ${name} must have shape ${shapeText(expected)}, got ${name}=${shapeText(mask.shape)}.`,
    );
    if (this.plain) return mask as tf.Tensor2D;
    // As computed floats: on WebGPU a transpose of integers, booleans or a cast of them does not compile at rank 3 and up.
    const full = tf.mul(tf.cast(mask, 'float32'), tf.ones(expected));
    return tf.reshape(tf.transpose(full, [0, ...this.others, ...this.attended]), [
      expected[0] * this.product(expected, this.others),
      this.product(expected, this.attended),
    ]);
  }

  private product(shape: readonly number[], axes: number[]): number {
    return axes.reduce((product, axis) => product * shape[axis], 1);
  }
}
