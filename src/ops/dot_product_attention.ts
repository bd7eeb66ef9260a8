/**
 * Attention(Q, K, V) = softmax(QKᵀ·scale + bias + M) V, with M = 0 where a query may attend and a large negative
 * number where it may not (Vaswani et al., "Attention Is All You Need", 2017; grouped queries: Ainslie et al., 2023).
 */
import * as tf from '@tensorflow/tfjs-core';
import { toBool } from '../masks/to_bool.js';
import {
  assert,
  assertInteger,
  assertKnownOptions,
  assertNumber,
  describe,
} from '../util/errors.js';
import { assertFloatTensor } from '../util/float_tensor.js';
import { drawSeed, type Seed } from '../util/random.js';
import { broadcastsTo, shapeText } from '../util/shapes.js';
import {
  attentionWeights,
  clearHidden,
  visibleKeys,
  weightedValues,
  type AttentionSizes,
} from './attention_reference.js';
import { dispatch } from './dispatch.js';
import { dropoutMask } from './dropout.js';

/** Options of `dotProductAttention`. */
export interface DotProductAttentionOptions {
  /** Who may attend to whom: nonzero = may attend, any dtype, broadcastable to [B, N, T, S]. */
  mask?: tf.Tensor | null;
  /** Added to the scaled scores, broadcastable to [B, N, T, S]; differentiable. */
  bias?: tf.Tensor | null;
  /** Query i sees key j only when j ≤ i + offset. Default false. */
  causal?: boolean;
  /** Position of the first query among the keys, the number of cached tokens. Default 0. */
  offset?: number;
  /** Sliding window W: with `causal` keys i−W+1 … i, without |i − j| < W; i counts from `offset`. Default none. */
  window?: number | null;
  /** How many of the S keys are in use: key and value may have room for more. Default S, all of them. */
  keyLength?: number;
  /** Factor of the scores. Default 1/√H. */
  scale?: number;
  /** Scaled scores become cap·tanh(score/cap). Default none. */
  softCap?: number | null;
  /** Share of the probabilities that is dropped while `training`. Default 0. */
  dropout?: number;
  /** Where the dropped ones are drawn; a number gives the same ones on every call. Default: unseeded. */
  seed?: Seed;
  /** Whether dropout acts. Default false. */
  training?: boolean;
  /** Return the probabilities (before dropout) too. Default false. */
  returnScores?: boolean;
}

/** Result of `dotProductAttention` with `returnScores`. */
export interface AttentionWithScores {
  /** [B, T, N, Hv]. */
  output: tf.Tensor4D;
  /** Probabilities before dropout, [B, N, T, S]. */
  scores: tf.Tensor4D;
}

const OPTIONS = [
  'mask', 'bias', 'causal', 'offset', 'window', 'keyLength', 'scale', 'softCap', 'dropout', 'seed', 'training', 'returnScores',
]; // prettier-ignore

/**
 * Scaled dot-product attention, with masks, bias, causality, windows, grouped queries and dropout.
 *
 *     scores = softCap(query·keyᵀ · scale) + bias        softmax over the keys that the query may see
 *     output[b, i, n] = Σ_j scores[b, n, i, j] · value[b, j, ⌊n/G⌋]
 *
 * A masked key has weight exactly 0; a query that sees no key gives 0. Causality, window and mask combine by AND.
 *
 * With `keyLength` the keys behind it are not there: S stands for `keyLength` in what is said here of mask, bias and
 * scores, and what lies behind it in key and value is never read and gets gradient 0.
 *
 * @param query [B, T, N, H]
 * @param key [B, S, K, H]; K divides N, query head n reads key head ⌊n·K/N⌋.
 * @param value [B, S, K, Hv]
 * @param options See `DotProductAttentionOptions`.
 * @returns [B, T, N, Hv], or `{output, scores}` when `returnScores`.
 * @throws Error when shapes do not fit together or an option is out of range.
 */
export function dotProductAttention(
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  options: DotProductAttentionOptions & { returnScores: true },
): AttentionWithScores;
export function dotProductAttention(
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  options?: DotProductAttentionOptions & { returnScores?: false },
): tf.Tensor4D;
export function dotProductAttention(
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  options?: DotProductAttentionOptions,
): tf.Tensor4D | AttentionWithScores;
export function dotProductAttention(
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  options: DotProductAttentionOptions = {},
): tf.Tensor4D | AttentionWithScores {
  const sizes = checkArguments(query, key, value, options);
  const { causal = false, offset = 0, training = false, returnScores = false } = options;
  const scale = options.scale ?? 1 / Math.sqrt(sizes.H);
  const softCap = options.softCap ?? 0;
  const window = options.window ?? 0;
  const bias = options.bias ?? undefined;
  const dropout = training ? (options.dropout ?? 0) : 0;
  const random =
    dropout > 0 ? drawSeed('dotProductAttention', options.seed) : { seed: 0, counter: 0 };

  const compose = (): AttentionWithScores => {
    const visible = visibleKeys(sizes, options);
    const [keys, values] = [key, value].map((x) => clearHidden(inUse(x, sizes.S), visible));
    const scores = attentionWeights(query, keys, sizes, { bias, visible, scale, softCap });
    const weights =
      dropout > 0 ? tf.mul(scores, dropoutMask(scores.shape, dropout, random)) : scores;
    return { output: weightedValues(weights, values, sizes), scores };
  };

  if (returnScores) {
    // Two results, so two things to keep: tidy hands both to the caller.
    const { output, scores } = tf.tidy(() => ({ ...compose() }));
    return { output, scores };
  }
  const mask = options.mask ?? undefined;
  return tf.tidy(() =>
    dispatch({
      kernel: `TransformersAttention${bias ? 'Bias' : ''}${mask ? 'Mask' : ''}`,
      inputs: {
        query,
        key,
        value,
        ...(bias ? { bias } : {}),
        ...(mask ? { mask: toBool(mask, 'dotProductAttention') } : {}),
      },
      differentiable: ['query', 'key', 'value', ...(bias ? ['bias'] : [])],
      attrs: { causal, offset, window, keyLength: sizes.S, scale, softCap, dropout, ...random },
      gradientTakesOutput: true,
      reference: () => compose().output,
    }),
  ) as tf.Tensor4D;
}

function checkArguments(
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  options: DotProductAttentionOptions,
): AttentionSizes {
  const where = 'dotProductAttention';
  assertKnownOptions(where, options, OPTIONS);
  for (const [name, tensor, letters] of [
    ['query', query, '[B,T,N,H]'],
    ['key', key, '[B,S,K,H]'],
    ['value', value, '[B,S,K,Hv]'],
  ] as const) {
    assertFloatTensor(where, name, tensor);
    assert(
      tensor.rank === 4,
      () =>
        `${where}: ${name} must have rank 4, ${letters}, got ${name}=${shapeText(tensor.shape)}.`,
    );
  }
  const [B, T, N, H] = query.shape as number[];
  const [, room, K] = key.shape as number[];
  const Hv = value.shape[3]!;
  const shapes = (): string =>
    `query=${shapeText(query.shape)}, key=${shapeText(key.shape)}, value=${shapeText(value.shape)}`;
  assert(
    key.shape[0] === B && value.shape[0] === B,
    () => `${where}: batch sizes must be equal, got ${shapes()}.`,
  );
  assert(
    key.shape[3] === H,
    () => `${where}: query and key must have the same head size, got ${shapes()}.`,
  );
  assert(
    value.shape[1] === room && value.shape[2] === K,
    () => `${where}: key and value must have the same length and number of heads, got ${shapes()}.`,
  );
  assert(
    N % K === 0,
    () =>
      `${where}: the number of query heads must be a multiple of the key/value heads, got N=${N}, K=${K}.`,
  );
  const S =
    options.keyLength === undefined
      ? room
      : assertInteger(where, 'keyLength', options.keyLength, Math.min(1, room), room);
  for (const name of ['mask', 'bias'] as const) {
    const tensor = options[name];
    if (!tensor) continue;
    assert(
      tensor instanceof tf.Tensor,
      () => `${where}: ${name} must be a tensor, got ${name}=${describe(tensor)}.`,
    );
    assert(broadcastsTo(tensor.shape, [B, N, T, S]), () => {
      const next =
        tensor.rank === 2 && tensor.shape[0] === B && tensor.shape[1] === S
          ? ' For a padding mask [B,S] give masks.padding(tokenIds) or reshape it to [B,1,1,S].'
          : tensor.rank === 3 && tensor.shape[0] === B
            ? ' Reshape [B,T,S] to [B,1,T,S] to mean all heads.'
            : '';
      return (
        `${where}: ${name} must be broadcastable to [B,N,T,S]=${shapeText([B, N, T, S])}, ` +
        `got ${name}=${shapeText(tensor.shape)}.${next}`
      );
    });
  }
  assert(
    !options.bias || options.bias.dtype === 'float32',
    () =>
      `${where}: bias must be float32, got ${options.bias!.dtype}. Give a boolean mask as \`mask\`.`,
  );
  if (options.offset !== undefined) assertInteger(where, 'offset', options.offset, 0);
  if (given(options.window)) assertInteger(where, 'window', options.window);
  if (options.scale !== undefined) assertNumber(where, 'scale', options.scale);
  if (given(options.softCap)) {
    const softCap = assertNumber(where, 'softCap', options.softCap);
    assert(softCap > 0, () => `${where}: softCap must be above 0, got softCap=${softCap}.`);
  }
  const dropout = options.dropout ?? 0;
  assert(
    dropout >= 0 && dropout < 1,
    () => `${where}: dropout must be at least 0 and less than 1, got dropout=${dropout}.`,
  );
  return { B, T, S, N, K, H, Hv };
}

/** The rows of a key or value tensor that hold something. */
function inUse(tensor: tf.Tensor, length: number): tf.Tensor {
  return tensor.shape[1] === length ? tensor : tf.slice(tensor, [0, 0], [-1, length]);
}

function given<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}
