/**
 * Dropout with the same random bits as everywhere: TensorFlow's stateless generator is the Philox4x32-10 of util/random.ts
 * when it is given its key and its counter. The gradient makes the bits again.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { sizeOf } from '../../util/shapes.js';
import type { Graph, Value } from './graph.js';
import type { NodeKernel } from './kernel.js';
import type { Feed } from './session.js';

const TWO_32 = 2 ** 32;
/** Number of the Philox generator among TensorFlow's. */
const PHILOX = 1;

/** `TransformersDropout` and its gradient, which multiply by the same mask. */
export const dropoutKernels: NodeKernel[] = ['x', 'dy'].map((input) => ({
  name: `TransformersDropout${input === 'dy' ? 'Grad' : ''}`,
  run: (call) => {
    const x = call.inputs[input];
    const rate = call.attrs.rate as number;
    const feeds = { x, shape: x.shape, ...randomFeeds(call.attrs, sizeOf(x.shape)) };
    return call.graph(`dropout ${rate}`, feeds, (g, i) => [
      g.mul(i.x, g.reshape(dropoutMask(g, i, rate), i.shape)),
    ]);
  },
}));

/**
 * What a graph with a mask takes.
 *
 * @param attrs With `seed` and `counter`.
 * @param size How many elements the mask has.
 * @returns Its inputs.
 */
export function randomFeeds(
  { seed, counter }: tf.NamedAttrMap,
  size: number,
): Record<string, Feed> {
  const halves = (value: number): number[] => [
    (value % TWO_32) | 0,
    Math.floor(value / TWO_32) | 0,
  ];
  const state = [...halves(seed as number), 0, 0, ...halves(counter as number)];
  return { state: { integers: state }, size: [size] };
}

/**
 * The mask that dropout multiplies by.
 *
 * @param g The graph.
 * @param inputs With those of {@link randomFeeds}.
 * @param rate Probability of dropping.
 * @returns A vector: 0 where dropped, 1/(1 − rate) elsewhere.
 */
export function dropoutMask(g: Graph, { state, size }: Record<string, Value>, rate: number): Value {
  const halves = g.reshape(state, g.constant([3, 2], 'int32'), 'int32');
  const numbers = g.op('Bitcast', [halves], { T: { type: 'int32' }, type: { type: 'uint64' } });
  const slice = (from: number, count: number): Value =>
    g.op('Slice', [numbers, g.constant([from], 'int32'), g.constant([count], 'int32')], {
      T: { type: 'uint64' },
      Index: { type: 'int32' },
    });
  const words = g.op(
    'StatelessRandomUniformFullIntV2',
    [size, slice(0, 1), slice(1, 2), g.constant(PHILOX, 'int32')],
    { dtype: { type: 'uint32' }, Tshape: { type: 'int32' } },
  );
  // Element i is kept where (word >>> 8)·2⁻²⁴ ≥ rate, the rate in float32: exact, because both have 24 bits.
  const eight = g.cast(g.constant(8, 'int32'), 'int32', 'uint32');
  const upper = g.op('RightShift', [words, eight], { T: { type: 'uint32' } });
  const threshold = Math.fround(rate) * 2 ** 24;
  const kept = g.op('GreaterEqual', [g.cast(upper, 'uint32', 'float32'), g.constant(threshold)]);
  return g.mul(g.cast(kept, 'bool', 'float32'), 1 / (1 - rate));
}
