/** Operators on shapes, types and places, and products. */
import * as tf from '@tensorflow/tfjs-core';
import { dotProductAttention } from '../ops/dot_product_attention.js';
import { linear } from '../ops/linear.js';
import { broadcastNumbers } from '../util/broadcast.js';
import { assert, describe } from '../util/errors.js';
import { shapeText } from '../util/shapes.js';
import { stopGradient } from '../util/stop_gradient.js';
import { toBool } from '../masks/to_bool.js';
import { einsum } from './contraction.js';
import {
  asAxes,
  asFloats,
  asNumbers,
  asTensor,
  type Operand,
  type OperatorFunction,
} from './operand.js';

/** a·b as numpy.matmul has it: batch axes broadcast, and so do their gradients. */
function matmul(left: Operand, right: Operand): tf.Tensor {
  const a = asFloats(left);
  const b = asFloats(right);
  assert(
    a.rank >= 1 && b.rank >= 1,
    () => `matmul: operands must have axes, got ${shapeText(a.shape)} and ${shapeText(b.shape)}.`,
  );
  if (a.rank === 1 || b.rank === 1) {
    const [x, y] = [a.rank === 1 ? tf.expandDims(a, 0) : a, b.rank === 1 ? tf.expandDims(b, 1) : b];
    const axes = [...(a.rank === 1 ? [-2] : []), ...(b.rank === 1 ? [-1] : [])];
    const product = matmul(x, y);
    return tf.squeeze(
      product,
      axes.map((axis) => axis + product.rank),
    );
  }
  if (b.rank === 2) return linear(a, b);
  const batch = tf.backend_util.assertAndGetBroadcastShape(
    a.shape.slice(0, -2),
    b.shape.slice(0, -2),
  );
  const full = (x: tf.Tensor): tf.Tensor => broadcastNumbers(x, [...batch, ...x.shape.slice(-2)]);
  return tf.matMul(full(a), full(b));
}

/** The product over one axis of each, for every row of the batch; normalised, it is the cosine. */
function batchDot(left: Operand, right: Operand, axes: Operand, normalized: Operand): tf.Tensor {
  const [x, y] = [left, right].map(asFloats);
  const [a, b] = ([axes, axes].flat().slice(0, 2) as number[]).map((axis, i) => {
    const { rank } = [x, y][i];
    return (axis + rank) % rank;
  });
  const scaled = (z: tf.Tensor, axis: number): tf.Tensor =>
    normalized ? tf.div(z, tf.sqrt(tf.maximum(tf.sum(tf.square(z), axis, true), 1e-12))) : z;
  const free = (z: tf.Tensor, axis: number): number[] =>
    z.shape.map((_, i) => i).filter((i) => i > 0 && i !== axis);
  const [B, K] = [x.shape[0], x.shape[a]];
  const rows = tf.reshape(tf.transpose(scaled(x, a), [0, ...free(x, a), a]), [B, -1, K]);
  const columns = tf.reshape(tf.transpose(scaled(y, b), [0, b, ...free(y, b)]), [B, K, -1]);
  const rest = [...free(x, a).map((i) => x.shape[i]), ...free(y, b).map((i) => y.shape[i])];
  return tf.reshape(tf.matMul(rows, columns), rest.length > 0 ? [B, ...rest] : [B, 1]);
}

/** Axes may be negative, and null reverses all. */
function transpose(x: Operand, axes: Operand): tf.Tensor {
  const tensor = asTensor(x);
  const order = axes as number[] | null | undefined;
  return tf.transpose(
    tensor,
    order?.map((axis) => (axis + tensor.rank) % tensor.rank),
  );
}

function swapAxes(x: Operand, a: Operand, b: Operand): tf.Tensor {
  const tensor = asTensor(x);
  const [first, second] = [a, b].map((axis) => ((axis as number) + tensor.rank) % tensor.rank);
  const order = tensor.shape.map((_, i) => i);
  [order[first], order[second]] = [second, first];
  return tf.transpose(tensor, order);
}

/** One −1 stands for what is left, whatever the sign of the others. */
function reshape(x: Operand, shape: Operand): tf.Tensor {
  return tf.reshape(asTensor(x), shape as number[]);
}

/** As `reshape`, but for the axes behind the batch; null means "of any size". */
function reshapeRows(x: Operand, shape: Operand): tf.Tensor {
  const tensor = asTensor(x);
  const sizes = (shape as (number | null)[]).map((size) => size ?? -1);
  // A batch of 0 leaves −1 without a meaning; then the batch is the unknown.
  return tf.reshape(tensor, sizes.includes(-1) ? [tensor.shape[0], ...sizes] : [-1, ...sizes]);
}

function expandDims(x: Operand, axis: Operand): tf.Tensor {
  const tensor = asTensor(x);
  const axes = [axis ?? -1].flat() as number[];
  const rank = tensor.rank + axes.length;
  const places = axes.map((at) => (at + rank) % rank).sort((a, b) => a - b);
  return places.reduce((y: tf.Tensor, at) => tf.expandDims(y, at), tensor);
}

function squeeze(x: Operand, axis: Operand): tf.Tensor {
  const tensor = asTensor(x);
  const axes = axis === null || axis === undefined ? undefined : ([axis].flat() as number[]);
  return tf.squeeze(
    tensor,
    axes?.map((at) => (at + tensor.rank) % tensor.rank),
  );
}

/** Tensors of one dtype: the widest of them. */
function together(list: Operand): tf.Tensor[] {
  const tensors = (list as Operand[]).map((x) => asTensor(x));
  if (new Set(tensors.map(({ dtype }) => dtype)).size === 1) return tensors;
  const float = tensors.some(({ dtype }) => dtype === 'float32');
  return tensors.map((x) => tf.cast(x, float ? 'float32' : 'int32'));
}

function concatenate(list: Operand, axis: Operand): tf.Tensor {
  const tensors = together(list);
  const join = (): tf.Tensor => tf.concat(tensors, (axis ?? 0) as number);
  return tensors[0].dtype === 'bool' ? stopGradient(join) : join();
}

function stack(list: Operand, axis: Operand): tf.Tensor {
  const at = (axis ?? 0) as number;
  const tensors = together(list);
  const place = at < 0 ? at + tensors[0].rank + 1 : at;
  return tf.concat(
    tensors.map((x) => tf.expandDims(x, place)),
    place,
  );
}

/** In equal parts, or at given places. */
function split(x: Operand, parts: Operand, axis: Operand): tf.Tensor[] {
  const tensor = asTensor(x);
  const at = ((axis ?? 0) as number) < 0 ? (axis as number) + tensor.rank : ((axis ?? 0) as number);
  if (typeof parts === 'number') return tf.split(tensor, parts, at);
  const places = [0, ...(parts as number[]), tensor.shape[at]];
  const sizes = places.slice(1).map((place, i) => place - places[i]);
  return tf.split(tensor, sizes, at);
}

/** One entry of the key of x[key]. */
type Key = number | null | { slice?: (number | null)[]; ellipsis?: boolean };

/** x[key] with integers, slices, newaxis (null) and an ellipsis, as in Python. */
function getItem(operand: Operand, key: Operand): tf.Tensor {
  const x = asTensor(operand);
  const keys = (Array.isArray(key) ? key : [key]) as Key[];
  const consumed = keys.filter((k) => k !== null && !isEllipsis(k)).length;
  assert(
    consumed <= x.rank,
    () => `getItem: ${consumed} indices for ${shapeText(x.shape)}, which has fewer axes.`,
  );
  const rest: Key[] = Array<Key>(x.rank - consumed).fill({ slice: [null, null, null] });
  const at = keys.findIndex((k) => k !== null && isEllipsis(k));
  const full = at < 0 ? [...keys, ...rest] : [...keys.slice(0, at), ...rest, ...keys.slice(at + 1)];
  let y = x;
  const shape: (number | null)[] = [];
  let axis = 0;
  for (const entry of full) {
    if (entry === null) {
      shape.push(1);
      continue;
    }
    const size = x.shape[axis];
    if (typeof entry === 'number') {
      const index = entry < 0 ? entry + size : entry;
      assert(
        index >= 0 && index < size,
        () => `getItem: index ${entry} is outside axis ${axis} of ${shapeText(x.shape)}.`,
      );
      y = sliced(y, axis, index, 1);
    } else {
      y = pythonSlice(y, axis, entry.slice ?? []);
      shape.push(y.shape[axis]);
    }
    axis++;
  }
  return tf.reshape(y, shape as number[]);
}

function isEllipsis(key: Key): boolean {
  return typeof key === 'object' && key !== null && key.ellipsis === true;
}

function sliced(x: tf.Tensor, axis: number, begin: number, size: number): tf.Tensor {
  const starts = x.shape.map((_, i) => (i === axis ? begin : 0));
  return tf.slice(
    x,
    starts,
    x.shape.map((whole, i) => (i === axis ? size : whole)),
  );
}

/** start:stop:step along an axis. */
function pythonSlice(
  x: tf.Tensor,
  axis: number,
  [start, stop, step]: (number | null)[],
): tf.Tensor {
  const size = x.shape[axis];
  const by = step ?? 1;
  const place = (at: number | null | undefined, fallback: number): number => {
    if (at === null || at === undefined) return fallback;
    const from = at < 0 ? at + size : at;
    return by > 0 ? Math.min(Math.max(from, 0), size) : Math.min(Math.max(from, -1), size - 1);
  };
  const [first, last] = [place(start, by > 0 ? 0 : size - 1), place(stop, by > 0 ? size : -1)];
  const count = Math.max(0, Math.ceil((last - first) / by));
  if (by === 1) {
    return count === size ? x : sliced(x, axis, first, count);
  }
  if (by === -1 && count === size) return tf.reverse(x, axis);
  const indices = Array.from({ length: count }, (_, i) => first + i * by);
  return tf.gather(x, tf.tensor1d(indices, 'int32'), axis);
}

function take(x: Operand, indices: Operand, axis: Operand): tf.Tensor {
  const tensor = asTensor(x);
  const places = asTensor(indices);
  const whole = places.dtype === 'int32' ? places : tf.cast(places, 'int32');
  if (axis === null || axis === undefined) return tf.gather(tf.reshape(tensor, [-1]), whole);
  return tf.gather(tensor, whole, ((axis as number) + tensor.rank) % tensor.rank);
}

function cast(x: Operand, dtype: Operand): tf.Tensor {
  const tensor = asTensor(x);
  const to = dtype as 'float32' | 'int32' | 'bool';
  if (to === 'bool') return toBool(tensor, 'cast', 'x');
  return tensor.dtype === to ? tf.clone(tensor) : tf.cast(tensor, to);
}

function oneHot(x: Operand, count: Operand, axis: Operand): tf.Tensor {
  assert(
    (axis ?? -1) === -1,
    () => `oneHot: only the last axis is supported, got axis=${describe(axis)}.`,
  );
  return stopGradient(() => {
    const flat = tf.reshape(cast(x, 'int32'), [-1]);
    const encoded = tf.cast(tf.oneHot(flat as tf.Tensor1D, count as number), 'float32');
    return tf.reshape(encoded, [...asTensor(x).shape, count as number]);
  });
}

function flip(x: Operand, axis: Operand): tf.Tensor {
  const tensor = asTensor(x);
  return tf.reverse(tensor, asAxes(axis) ?? tensor.shape.map((_, i) => i));
}

/** x repeated as often as `counts` say; its gradient is a sum. */
function tile(x: Operand, counts: Operand): tf.Tensor {
  const repeats = [counts].flat() as number[];
  let tensor = asTensor(x);
  while (tensor.rank < repeats.length) tensor = tf.expandDims(tensor, 0);
  const skipped = tensor.rank - repeats.length;
  return repeats.reduce(
    (y, count, i) => (count === 1 ? y : tf.concat(Array<tf.Tensor>(count).fill(y), i + skipped)),
    tensor,
  );
}

/** Each slice along an axis, several times one after another. */
function repeat(x: Operand, count: Operand, axis: Operand): tf.Tensor {
  const tensor = axis === null || axis === undefined ? tf.reshape(asTensor(x), [-1]) : asTensor(x);
  const at = ((axis ?? 0) as number) < 0 ? (axis as number) + tensor.rank : ((axis ?? 0) as number);
  const copies = Array<tf.Tensor>(count as number).fill(tf.expandDims(tensor, at + 1));
  const shape = tensor.shape.map((size, i) => (i === at ? size * (count as number) : size));
  return tf.reshape(tf.concat(copies, at + 1), shape);
}

function pad(x: Operand, widths: Operand, value: Operand): tf.Tensor {
  return tf.pad(asTensor(x), widths as [number, number][], (value ?? 0) as number);
}

/** Keeps what is on one side of a diagonal of the last two axes. */
function triangle(x: Operand, diagonal: Operand, lower: boolean): tf.Tensor {
  const tensor = asNumbers(x);
  const k = (diagonal ?? 0) as number;
  const side = lower
    ? tf.linalg.bandPart(tf.ones(tensor.shape.slice(-2)), -1, Math.max(k, 0))
    : tf.linalg.bandPart(tf.ones(tensor.shape.slice(-2)), Math.max(-k, 0), -1);
  assert(lower ? k >= 0 : k <= 0, () => `operator: this diagonal is not supported, got k=${k}.`);
  return tf.mul(tensor, side);
}

/** Attention of heads [B, T, N, H] over [B, S, K, H], as Keras' function of that name has it. */
function attention(...[query, key, value, bias, mask, scale, isCausal]: Operand[]): tf.Tensor {
  const full = (x: Operand): tf.Tensor4D => asFloats(x) as tf.Tensor4D;
  return dotProductAttention(full(query), full(key), full(value), {
    bias: bias instanceof tf.Tensor ? asFloats(bias) : null,
    mask: mask instanceof tf.Tensor ? mask : null,
    ...(typeof scale === 'number' ? { scale } : {}),
    causal: Boolean(isCausal),
  });
}

/** Operators by name. */
export const SHAPES: Record<string, OperatorFunction> = {
  matmul,
  batchDot,
  einsum: (tensors, ...codes) =>
    einsum(
      String.fromCharCode(...(codes as number[])),
      (tensors as Operand[]).map((x) => asFloats(x)),
    ),
  dotProductAttention: attention,
  transpose,
  swapAxes,
  reshape,
  reshapeRows,
  expandDims,
  squeeze,
  concatenate,
  stack,
  split,
  unstack: (x, axis) => tf.unstack(asTensor(x), (axis ?? 0) as number),
  getItem,
  take,
  cast,
  oneHot,
  flip,
  tile,
  repeat,
  pad,
  tril: (x, k) => triangle(x, k, true),
  triu: (x, k) => triangle(x, k, false),
  broadcastTo: (x, shape) => broadcastNumbers(asNumbers(x), shape as number[]),
  onesLike: (x) => tf.onesLike(asTensor(x)),
  zerosLike: (x) => tf.zerosLike(asTensor(x)),
};
