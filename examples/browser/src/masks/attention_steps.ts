/** The numbers of every step of softmax(QKᵀ/√H + M)V, for all layers and heads of the model at once. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { layers, masks, ops } from 'tfjs-transformers';
import { HEAD_SIZE, NUM_HEADS, NUM_LAYERS, WIDTH } from './model.js';
import { PAD_ID, type Sequence } from './sentence.js';

/** Which masks are on. */
export interface MaskChoice {
  /** Hide padding. */
  padding: boolean;
  /** Hide the future. */
  causal: boolean;
}

/** Rows are queries, columns are keys. */
export type Matrix = number[][];

/** What one head computes, [T][T] each. */
export interface HeadSteps {
  /** QKᵀ/√H. */
  scores: Matrix;
  /** QKᵀ/√H + M, hidden scores having been set to 0 first, as the package does. */
  masked: Matrix;
  /** What `ops.dotProductAttention` returns as scores. */
  weights: Matrix;
  /** softmax(QKᵀ/√H + M) with M = −`STRENGTHS[i]` at hidden keys, a matrix for each. */
  byStrength: Matrix[];
}

/** What the page shows of one sequence. */
export interface Steps {
  /** T */
  length: number;
  /** `masks.padding`, one row a query. True = may attend. */
  padding: boolean[][];
  /** `masks.causal`. */
  causal: boolean[][];
  /** `masks.and` of those that are on. */
  visible: boolean[][];
  /** M, `masks.toBias` of the former. */
  bias: Matrix;
  /** By layer, then by head. */
  heads: HeadSteps[][];
  /** Largest difference between the weights of the formula, computed here, and those that the layers report. */
  deviation: number;
}

/** Numbers tried for −M: where e⁻ˢ is 1, where it is small, and where it is 0 to the last bit. */
export const STRENGTHS = [0, 0.5, 1, 2, 3, 4, 5, 7, 10, 15, 30, 60, 103, 1e9] as const;

/**
 * The masks of a sequence as [1, 1, T, T] and their combination.
 *
 * @param sequence The tokens.
 * @param choice Those that count.
 * @returns Bool tensors; yours to dispose of.
 */
export function makeMasks(
  { ids }: Sequence,
  choice: MaskChoice,
): { padding: tf.Tensor; causal: tf.Tensor; visible: tf.Tensor } {
  const T = ids.length;
  return tf.tidy(() => {
    const everything = tf.ones([1, 1, T, T], 'bool');
    const padding = masks.and(everything, masks.padding([ids], PAD_ID)); // [1,1,1,T] for each query
    const causal = masks.causal(T);
    const visible = masks.and(
      everything,
      ...(choice.padding ? [padding] : []),
      ...(choice.causal ? [causal] : []),
    );
    return { padding, causal, visible };
  });
}

/**
 * Runs the model.
 *
 * @param model What `makeModel` returned.
 * @param ids Token ids.
 * @param visible Mask [1, 1, T, T].
 * @returns What enters each block, and the output, [1, T, D] each; yours to dispose of.
 */
export function runModel(model: tfl.LayersModel, ids: number[], visible: tf.Tensor): tf.Tensor[] {
  return tf.tidy(() => model.apply(inputs(ids, visible), { training: false }) as tf.Tensor[]);
}

function inputs(ids: number[], visible: tf.Tensor): tf.Tensor[] {
  const T = ids.length;
  return [tf.tensor2d([ids], [1, T], 'int32'), tf.reshape(tf.cast(visible, 'float32'), [1, T, T])];
}

/**
 * Query, key and value of a layer, from what enters it and the weights that it has.
 *
 * @param model What `makeModel` returned.
 * @param layer Number of the block.
 * @param state What enters the block, [B, T, D].
 * @returns [B, T, N, H] each; yours to dispose of.
 */
export function projections(
  model: tfl.LayersModel,
  layer: number,
  state: tf.Tensor,
): { query: tf.Tensor4D; key: tf.Tensor4D; value: tf.Tensor4D } {
  const block = model.getLayer(`block_${layer}`);
  const weight = (name: string): tf.Tensor =>
    block.weights.find(({ originalName }) => originalName.endsWith(name))!.read();
  const [B, T] = state.shape;
  return tf.tidy(() => {
    const normalized = ops.layerNorm(
      state,
      weight('self_attention_layer_norm/gamma'),
      weight('self_attention_layer_norm/beta'),
    );
    const project = (name: string): tf.Tensor4D => {
      const kernel = tf.reshape(weight(`self_attention/${name}/kernel`), [WIDTH, WIDTH]);
      const bias = tf.reshape(weight(`self_attention/${name}/bias`), [WIDTH]);
      return tf.reshape(ops.linear(normalized, kernel, bias), [B, T, NUM_HEADS, HEAD_SIZE]);
    };
    return { query: project('query'), key: project('key'), value: project('value') };
  });
}

/**
 * QKᵀ/√H in plain operations.
 *
 * @param query [B, T, N, H]
 * @param key [B, S, N, H]
 * @returns [B, N, T, S]
 */
export function scaledProducts(query: tf.Tensor, key: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const [q, k] = [query, key].map((x) => tf.transpose(x, [0, 2, 1, 3]));
    return tf.div(tf.matMul(q, k, false, true), Math.sqrt(query.shape[3]!));
  });
}

/**
 * Computes every step for a sequence.
 *
 * @param model What `makeModel` returned.
 * @param sequence The tokens.
 * @param choice Which masks are on.
 * @returns Numbers on the host.
 */
export async function computeSteps(
  model: tfl.LayersModel,
  sequence: Sequence,
  choice: MaskChoice,
): Promise<Steps> {
  const { ids } = sequence;
  const T = ids.length;
  const made = makeMasks(sequence, choice);
  const given = tf.tidy(() => inputs(ids, made.visible));
  const reported = layers.attentionScores(model, given);
  const tensors = tf.tidy(() => {
    const states = runModel(model, ids, made.visible);
    const bias = masks.toBias(made.visible);
    const perLayer = Array.from({ length: NUM_LAYERS }, (_, layer) => {
      const { query, key, value } = projections(model, layer, states[layer]);
      const scores = scaledProducts(query, key);
      const masked = tf.add(tf.mul(scores, tf.cast(made.visible, 'float32')), bias);
      const { scores: weights } = ops.dotProductAttention(query, key, value, {
        mask: made.visible,
        returnScores: true,
      });
      // softmax(QKᵀ/√H + M) as it is written, with one row of a batch for each M.
      const strengths = tf.tensor4d([...STRENGTHS], [STRENGTHS.length, 1, 1, 1]);
      const hidden = tf.cast(tf.logicalNot(made.visible), 'float32');
      const byStrength = tf.softmax(tf.sub(scores, tf.mul(hidden, strengths)));
      return { scores, masked, weights, byStrength };
    });
    const deviations = [...reported.values()].map((scores, layer) =>
      tf.max(tf.abs(tf.sub(scores, perLayer[layer].weights))),
    );
    return { bias, perLayer, deviation: tf.max(tf.stack(deviations)) };
  });
  try {
    const truth = async (mask: tf.Tensor): Promise<boolean[][]> =>
      matrices(await mask.data(), T)[0].map((row) => row.map(Boolean));
    const numbers = async (x: tf.Tensor): Promise<Matrix[]> => matrices(await x.data(), T);
    const heads: HeadSteps[][] = [];
    for (const layer of tensors.perLayer) {
      const [scores, masked, weights, byStrength] = [
        await numbers(layer.scores),
        await numbers(layer.masked),
        await numbers(layer.weights),
        await numbers(layer.byStrength),
      ];
      heads.push(
        Array.from({ length: NUM_HEADS }, (_, n) => ({
          scores: scores[n],
          masked: masked[n],
          weights: weights[n],
          byStrength: STRENGTHS.map((_, s) => byStrength[s * NUM_HEADS + n]),
        })),
      );
    }
    return {
      length: T,
      padding: await truth(made.padding),
      causal: await truth(made.causal),
      visible: await truth(made.visible),
      bias: (await numbers(tensors.bias))[0],
      heads,
      deviation: (await tensors.deviation.data())[0],
    };
  } finally {
    tf.dispose([
      ...Object.values(made),
      ...given,
      ...reported.values(),
      tensors.bias,
      tensors.deviation,
    ]);
    for (const layer of tensors.perLayer) tf.dispose({ ...layer });
  }
}

/** Cuts flat values into matrices of T rows and T columns. */
export function matrices(values: ArrayLike<number>, T: number): Matrix[] {
  return Array.from({ length: values.length / (T * T) }, (_, m) =>
    Array.from({ length: T }, (_, i) =>
      Array.from({ length: T }, (_, j) => values[(m * T + i) * T + j]),
    ),
  );
}

/** One cell with all that happens to it. */
export interface CellNumbers {
  /** QKᵀ/√H. */
  score: number;
  /** 0 or a large negative number. */
  bias: number;
  /** What the softmax sees. */
  masked: number;
  /** Largest number of the row, which the softmax takes away first. */
  rowMax: number;
  /** exp(masked − rowMax). */
  exp: number;
  /** Σ of the row's exponentials. */
  sum: number;
  /** What the operation says. */
  weight: number;
  /** Whether the query may see the key. */
  visible: boolean;
  /** Whether the query sees any key at all. */
  rowSeesSomething: boolean;
}

/**
 * Takes one cell's numbers together.
 *
 * @param steps What `computeSteps` returned.
 * @param head One of its heads.
 * @param query Index of the query.
 * @param key Index of the key.
 * @returns The numbers.
 */
export function cellNumbers(
  steps: Steps,
  head: HeadSteps,
  query: number,
  key: number,
): CellNumbers {
  const row = head.masked[query];
  const rowMax = Math.max(...row);
  return {
    score: head.scores[query][key],
    bias: steps.bias[query][key],
    masked: row[key],
    rowMax,
    exp: Math.exp(row[key] - rowMax),
    sum: row.reduce((sum, value) => sum + Math.exp(value - rowMax), 0),
    weight: head.weights[query][key],
    visible: steps.visible[query][key],
    rowSeesSomething: steps.visible[query].some(Boolean),
  };
}

/**
 * How much of their attention the real words give away to what they should not see, on average.
 *
 * @param sequence The tokens.
 * @param weights Weights of one head.
 * @returns Shares between 0 and 1; exactly 0 when nothing leaks.
 */
export function leakedAttention(
  { isPadding }: Sequence,
  weights: Matrix,
): { future: number; padding: number } {
  const real = weights.map((_, i) => i).filter((i) => !isPadding[i]);
  const share = (leaks: (i: number, j: number) => boolean): number =>
    real.reduce(
      (sum, i) => sum + weights[i].reduce((part, w, j) => part + (leaks(i, j) ? w : 0), 0),
      0,
    ) / Math.max(1, real.length);
  return {
    future: share((i, j) => j > i && !isPadding[j]),
    padding: share((_, j) => isPadding[j]),
  };
}
