/** Random calls of `dotProductAttention`, for properties that hold for every shape, mask and option. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {
  dotProductAttention,
  type DotProductAttentionOptions,
} from '../../src/ops/dot_product_attention.js';
import { randomTensor } from './check_directional.js';

/** A call: sizes by the letters of util/shapes (N = K·G), and options. */
export interface AttentionCase {
  B: number;
  T: number;
  S: number;
  K: number;
  G: number;
  H: number;
  Hv: number;
  /** Rows of key and value behind the S that are in use. */
  spare: number;
  /** Which axes of [B, N, T, S] the mask has; the others are broadcast. Null: no mask. */
  mask: boolean[] | null;
  /** Share of the keys that the mask shows. */
  visible: number;
  /** Which axes the bias has. */
  bias: boolean[] | null;
  causal: boolean;
  offset: number;
  window: number | null;
  scale: number | null;
  softCap: number | null;
  dropout: number;
  seed: number;
}

const axes = fc.option(fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }));

/**
 * Cases to draw from.
 *
 * @param largest Bounds of T, S and the head sizes.
 */
export function attentionCases(
  largest: { T?: number; S?: number; H?: number } = {},
): fc.Arbitrary<AttentionCase> {
  const { T = 40, S = 150, H = 37 } = largest;
  return fc.record({
    B: fc.integer({ min: 1, max: 2 }),
    T: fc.integer({ min: 1, max: T }),
    S: fc.integer({ min: 1, max: S }),
    K: fc.integer({ min: 1, max: 3 }),
    G: fc.integer({ min: 1, max: 3 }),
    H: fc.integer({ min: 1, max: H }),
    Hv: fc.integer({ min: 1, max: H }),
    spare: fc.constantFrom(0, 0, 1, 9),
    mask: axes,
    visible: fc.constantFrom(0, 0.1, 0.5, 0.95, 1),
    bias: axes,
    causal: fc.boolean(),
    offset: fc.integer({ min: 0, max: S }),
    window: fc.option(fc.integer({ min: 1, max: 60 })),
    scale: fc.option(fc.double({ min: -1, max: 1, noNaN: true })),
    softCap: fc.option(fc.double({ min: 0.5, max: 30, noNaN: true })),
    dropout: fc.constantFrom(0, 0, 0.1, 0.6),
    seed: fc.integer({ min: 0, max: 2 ** 40 }),
  });
}

/** Tensors of a case, and the call as a function of those that take a gradient: query, key, value, perhaps bias. */
export interface AttentionCall {
  inputs: tf.Tensor[];
  operation: (...inputs: tf.Tensor[]) => tf.Tensor;
  options: DotProductAttentionOptions;
}

/**
 * Makes the tensors of a case. Call it in `tf.tidy`.
 *
 * @param c The case.
 */
export function attentionCall(c: AttentionCase): AttentionCall {
  const { B, T, S, K, G, H, Hv, spare, seed } = c;
  const shapeOf = (kept: boolean[]): number[] =>
    [B, K * G, T, S].map((size, axis) => (kept[axis] ? size : 1));
  const inputs = [
    randomTensor([B, T, K * G, H], seed),
    randomTensor([B, S + spare, K, H], seed + 1),
    randomTensor([B, S + spare, K, Hv], seed + 2),
    ...(c.bias ? [randomTensor(shapeOf(c.bias), seed + 3)] : []),
  ];
  const options: DotProductAttentionOptions = {
    causal: c.causal,
    offset: c.offset,
    window: c.window,
    softCap: c.softCap,
    dropout: c.dropout,
    training: true,
    seed,
    ...(c.scale === null ? {} : { scale: c.scale }),
    ...(spare > 0 ? { keyLength: S } : {}),
    ...(c.mask
      ? { mask: tf.less(tf.randomUniform(shapeOf(c.mask), 0, 1, 'float32', seed), c.visible) }
      : {}),
  };
  const operation = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, bias?: tf.Tensor): tf.Tensor =>
    dotProductAttention(q, k, v, { ...options, ...(bias ? { bias } : {}), returnScores: false });
  return { inputs, operation: operation as (...inputs: tf.Tensor[]) => tf.Tensor, options };
}
