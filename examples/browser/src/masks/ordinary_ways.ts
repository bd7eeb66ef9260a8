/** Three ways to mask that look right, beside what this package does; on two padding tokens and a few words. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { masks, ops } from 'tfjs-transformers';
import {
  makeMasks,
  matrices,
  projections,
  runModel,
  scaledProducts,
  type Matrix,
} from './attention_steps.js';
import { PAD_ID, padded, type Sequence } from './sentence.js';

/** Number of words in the example, and of padding before them. */
const WORDS = 3;
const PADDING = 2;

/** The weights of one head, the ordinary way and here. */
export interface Comparison {
  /** May be NaN, or see what is hidden. */
  ordinary: Matrix;
  /** What `ops.dotProductAttention` returns. */
  here: Matrix;
}

/** The three comparisons. */
export interface OrdinaryWays {
  /** Two paddings and up to three words. */
  sequence: Sequence;
  /** Who may see whom. */
  visible: boolean[][];
  /** Sum of the two biases, and what the package adds instead, [T][T] each. */
  biases: { sum: Matrix; here: Matrix };
  /** softmax(scores + bias of one mask + bias of the other). */
  sum: Comparison;
  /** softmax(scores, −Infinity where hidden). */
  infinity: Comparison;
  /** softmax(scores + M) when the last word, which the others must not see, holds huge numbers. */
  wild: Comparison;
  /** The score that the first word gives to the huge one, before M. */
  wildScore: number;
}

/**
 * Computes the comparisons in the first layer.
 *
 * @param model What `makeModel` returned.
 * @param words Words to take the first of.
 * @param head Which head.
 * @returns Numbers on the host.
 */
export async function ordinaryWays(
  model: tfl.LayersModel,
  words: readonly string[],
  head: number,
): Promise<OrdinaryWays> {
  const first = words.slice(0, WORDS);
  const T = first.length + PADDING;
  const sequence = padded(first, T, 'left');
  const tensors = tf.tidy(() => {
    const { visible, causal } = makeMasks(sequence, { padding: true, causal: true });
    const padding = masks.padding([sequence.ids], PAD_ID);
    const M = masks.toBias(visible);
    const twice = tf.add(masks.toBias(padding), masks.toBias(causal));
    const [state] = runModel(model, sequence.ids, visible);
    const { query, key, value } = projections(model, 0, state);
    const attend = (k: tf.Tensor): tf.Tensor =>
      ops.dotProductAttention(query, k, value, { mask: visible, returnScores: true }).scores;
    const scores = scaledProducts(query, key);
    const nowhere = tf.fill(scores.shape, -Infinity);
    const shown = tf.logicalAnd(visible, tf.ones(scores.shape, 'bool'));
    // The last key becomes 3·10¹⁰ times the query of the first word, so that its score there is of that size.
    const target = tf.slice(query, [0, PADDING, 0, 0], [1, 1, -1, -1]);
    const size = tf.sum(tf.square(target), -1, true);
    const huge = tf.mul(target, tf.div(3e10, size));
    const wildKey = tf.concat([tf.slice(key, [0, 0, 0, 0], [1, T - 1, -1, -1]), huge], 1);
    const wildScores = scaledProducts(query, wildKey);
    return {
      visible,
      sum: tf.softmax(tf.add(scores, twice)),
      infinity: tf.softmax(tf.where(shown, scores, nowhere)),
      wild: tf.softmax(tf.add(wildScores, M)),
      here: attend(key),
      wildHere: attend(wildKey),
      wildScores,
      twice,
      M,
    };
  });
  try {
    const read = async (x: tf.Tensor, n = head): Promise<Matrix> => matrices(await x.data(), T)[n];
    const here = await read(tensors.here);
    return {
      sequence,
      visible: (await read(tensors.visible, 0)).map((row) => row.map(Boolean)),
      biases: { sum: await read(tensors.twice, 0), here: await read(tensors.M, 0) },
      sum: { ordinary: await read(tensors.sum), here },
      infinity: { ordinary: await read(tensors.infinity), here },
      wild: { ordinary: await read(tensors.wild), here: await read(tensors.wildHere) },
      wildScore: (await read(tensors.wildScores))[PADDING][T - 1],
    };
  } finally {
    tf.dispose({ ...tensors });
  }
}
