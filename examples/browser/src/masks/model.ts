/**
 * The small model whose attention the page shows. Nothing is trained: the heads of the first layer are set by hand, so
 * that each has something to look for; all other weights are drawn from a seed.
 */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { layers } from 'tfjs-transformers';
import { MOST_TOKENS, VOCABULARY_SIZE } from './sentence.js';

/** Number of blocks. */
export const NUM_LAYERS = 3;
/** N */
export const NUM_HEADS = 4;
/** H */
export const HEAD_SIZE = 8;
/** D: what a token means is in the first 24 numbers, where it stands in the other 8. */
export const WIDTH = NUM_HEADS * HEAD_SIZE;

const PLACE = HEAD_SIZE; // numbers that say where a token stands
const MEANING = WIDTH - PLACE;
const SEED = 7;
/** Largest part of a score that the place of a token makes. */
const SHARPNESS = 1.1;

/** What the heads of the first layer look for, in order. */
export const HAND_SET_HEADS = ['previous', 'next', 'same', 'near'] as const;

/**
 * Makes the model: token and position embeddings, three pre-norm blocks of four heads, a norm.
 *
 * Inputs: token ids [B, T] and a mask [B, T, T], nonzero = may attend. Outputs: what enters each block, [B, T, D], and
 * the output [B, T, D].
 *
 * @returns The model; with the same weights every time.
 */
export function makeModel(): tfl.LayersModel {
  const tokenIds = tfl.input({ name: 'tokenIds', shape: [null], dtype: 'int32' });
  const mask = tfl.input({ name: 'mask', shape: [null, null] });
  const embedding = layers.tokenAndPositionEmbedding({
    name: 'embedding',
    vocabularySize: VOCABULARY_SIZE,
    sequenceLength: MOST_TOKENS,
    embeddingDim: WIDTH,
  });
  let x = embedding.apply(tokenIds) as tfl.SymbolicTensor;
  const states: tfl.SymbolicTensor[] = [];
  const blocks = Array.from({ length: NUM_LAYERS }, (_, i) => {
    states.push(x);
    const block = layers.transformerBlock({
      name: `block_${i}`,
      inputs: ['query', 'attentionMask'],
      numHeads: NUM_HEADS,
      intermediateDim: 2 * WIDTH,
      kernelInitializer: normal(0.22, SEED + i),
      residualInitializer: normal(0.11, SEED + 10 + i),
    });
    x = block.apply([x, mask]) as tfl.SymbolicTensor;
    return block;
  });
  const norm = layers.layerNormalization({ name: 'final_norm' });
  const output = norm.apply(x) as tfl.SymbolicTensor;
  tf.tidy(() => {
    embedding.setWeights([meanings(), places()]);
    setWeight(blocks[0], 'query/kernel', handSetKernel('query'));
    setWeight(blocks[0], 'key/kernel', handSetKernel('key'));
  });
  return tfl.model({ inputs: [tokenIds, mask], outputs: [...states, output] });
}

function normal(stddev: number, seed: number): ReturnType<typeof tfl.initializers.randomNormal> {
  return tfl.initializers.randomNormal({ mean: 0, stddev, seed });
}

function setWeight(layer: tfl.layers.Layer, name: string, value: tf.Tensor): void {
  const weights = layer.getWeights();
  const place = layer.weights.findIndex((weight) => weight.originalName.endsWith(name));
  layer.setWeights(weights.map((weight, i) => (i === place ? value : weight)));
}

/** [V, D]: random numbers, and zeros where positions go. */
function meanings(): tf.Tensor {
  const random = tf.randomNormal([VOCABULARY_SIZE, MEANING], 0, 0.7, 'float32', SEED + 20);
  return tf.pad(random as tf.Tensor2D, [[0, 0], [0, PLACE]]); // prettier-ignore
}

const FREQUENCIES = Array.from(
  { length: PLACE / 2 },
  (_, k) => (Math.PI * (k + 0.5)) / (PLACE / 2),
);

/**
 * [L, D]: hands of clocks, (cos ωp, sin ωp). The product of two places is Σ cos ω(p − p'), which is largest for p = p'
 * and 0 for all others less than 8 apart.
 */
function places(): tf.Tensor {
  const rows = Array.from({ length: MOST_TOKENS }, (_, p) => [
    ...new Array<number>(MEANING).fill(0),
    ...FREQUENCIES.flatMap((w) => [Math.cos(w * p), Math.sin(w * p)]),
  ]);
  return tf.tensor2d(rows);
}

/**
 * Kernel [D, N, H] of the first layer. A query that turns the hands of its clock by one step looks for its neighbour; one
 * that compares meanings looks for itself and for the same word elsewhere.
 */
function handSetKernel(of: 'query' | 'key'): tf.Tensor {
  const noise = tf.randomNormal([WIDTH, HEAD_SIZE], 0, 0.1, 'float32', of === 'query' ? SEED + 30 : SEED + 31); // prettier-ignore
  const gain = Math.sqrt((SHARPNESS * Math.sqrt(HEAD_SIZE)) / FREQUENCIES.length);
  const heads = HAND_SET_HEADS.map((head): tf.Tensor => {
    if (head === 'same') {
      const shared = tf.randomNormal([MEANING, HEAD_SIZE], 0, 0.28, 'float32', SEED + 32);
      return tf.pad(shared as tf.Tensor2D, [[0, PLACE], [0, 0]]); // prettier-ignore
    }
    const steps = of === 'key' ? 0 : { previous: -1, next: 1, near: 0 }[head];
    // Without the fast hands the places next to one another look alike.
    const sizes = FREQUENCIES.map((_, k) => (head === 'near' && k > 1 ? 0.2 : 1) * gain);
    const turned = Array.from({ length: WIDTH }, (_, row) =>
      turnedRow(row - MEANING, steps, sizes),
    );
    return tf.add(tf.tensor2d(turned), noise);
  });
  return tf.stack(heads, 1);
}

/** Row of the matrix that turns each hand by some steps; rows below 0 are those of the meaning. */
function turnedRow(row: number, steps: number, sizes: number[]): number[] {
  const out = new Array<number>(HEAD_SIZE).fill(0);
  if (row < 0) return out;
  const hand = row >> 1;
  const angle = steps * FREQUENCIES[hand];
  const [cos, sin] = [Math.cos(angle) * sizes[hand], Math.sin(angle) * sizes[hand]];
  // (cos ωp, sin ωp) → (cos ω(p + steps), sin ω(p + steps))
  [out[2 * hand], out[2 * hand + 1]] = row % 2 === 0 ? [cos, sin] : [-sin, cos];
  return out;
}
