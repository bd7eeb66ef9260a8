/**
 * Attention. Query heads that share a key head are stacked along the query axis, [B·K, G·T, H], and every product is
 * batched, transposed by its flag. Forward keeps the probabilities; backward takes Σ_j P·dP as Σ dO·O, one number a row.
 *
 * A hidden key is hidden as in ops/attention_reference.ts, so that whatever finite content it has, no NaN comes of it: its
 * score is replaced before the softmax, and its gradient is 0 because its weight is.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { dropoutMask, randomFeeds } from './dropout.js';
import type { Graph, Value } from './graph.js';
import type { Inputs, NodeCall, NodeKernel } from './kernel.js';
import type { Feed } from './session.js';

/** What a masked score becomes (masks.largeNegative where 32-bit floats are stored). */
const HIDDEN = -1e9;
const HEADS_FIRST = [0, 2, 1, 3];

/** `TransformersAttention`, with bias, with mask, with both, and their gradients. */
export const attentionKernels: NodeKernel[] = ['', 'Bias', 'Mask', 'BiasMask'].flatMap((kind) => [
  { name: `TransformersAttention${kind}`, variant, run: forward },
  { name: `TransformersAttention${kind}Grad`, run: backward },
]);

/** Causality, windows, soft caps and dropout need operations of their own. */
function variant(_: Inputs, { causal, window, softCap, dropout }: tf.NamedAttrMap): string {
  return [causal, window, softCap, dropout].map(Boolean).join();
}

/** What of a call decides how its graph looks. */
interface Plan {
  /** Hides keys after the query. */
  causal: boolean;
  /** Hides keys that are so far before it; 0 for none. */
  window: number;
  /** Hides keys that are so far after it. */
  ahead: boolean;
  mask: boolean;
  bias: boolean;
  softCap: number;
  scale: number;
  dropout: number;
  /** Keys and values have room for more than is in use. */
  cut: boolean;
}

/** Sizes by the letters of util/shapes; C is the room that key and value have. */
function sizesOf({ query, key, value }: Inputs, attrs: tf.NamedAttrMap): Record<string, number> {
  const [B, T, N, H] = query.shape;
  const [, C, K] = key.shape;
  return { B, T, S: attrs.keyLength as number, C, N, K, H, Hv: value.shape[3] };
}

function planOf({ inputs, attrs }: NodeCall): Plan {
  const { T, S, C } = sizesOf(inputs, attrs);
  const { causal, offset, window, softCap, scale, dropout } = attrs as Record<string, number>;
  // As in the reference: a query that sees all keys needs no mask, for one the new token at the end of a cache.
  const windowed = window > 0 && !(causal && offset + T <= window);
  return {
    causal: Boolean(causal) && offset < S - 1,
    window: windowed ? window : 0,
    ahead: windowed && !causal,
    mask: inputs.mask !== undefined,
    bias: inputs.bias !== undefined,
    softCap,
    scale,
    dropout,
    cut: C !== S,
  };
}

/** Tensors and shapes that both passes take. */
function feedsOf({ inputs, attrs }: NodeCall, plan: Plan): Record<string, Feed> {
  const { query, key, value, bias, mask } = inputs;
  const { B, T, S, N, K, H, Hv } = sizesOf(inputs, attrs);
  const rows = (N / K) * T;
  return {
    ...{ query, key, value },
    ...(bias ? { bias } : {}),
    ...(mask ? { mask } : {}),
    queries: [B * K, rows, H],
    keys: [B * K, S, H],
    values: [B * K, S, Hv],
    scores: [B, N, T, S],
    rows: [B * K, rows, S],
    ...(plan.dropout > 0 ? randomFeeds(attrs, B * N * T * S) : {}),
    ...(plan.cut ? { keysInUse: [B, S, K, H], valuesInUse: [B, S, K, Hv] } : {}),
    ...(plan.causal || plan.window > 0 ? { positions: [T, S, attrs.offset as number] } : {}),
  };
}

function forward(call: NodeCall): tf.TensorInfo[] {
  const plan = planOf(call);
  const { B, T, N, Hv } = sizesOf(call.inputs, call.attrs);
  const feeds = { ...feedsOf(call, plan), heads: [B, N, T, Hv] };
  const residuals = call.keepsResiduals;
  return call.graph(`attention ${JSON.stringify(plan)} ${residuals}`, feeds, (g, i) => {
    const products = g.batchMatMul(queriesOf(g, i, plan), keysOf(g, i, plan), false, true);
    let scores = g.reshape(products, i.scores);
    let curve = scores;
    if (plan.softCap > 0) {
      curve = g.unary('Tanh', g.div(scores, plan.softCap));
      scores = g.mul(curve, plan.softCap);
    }
    if (plan.bias) scores = g.add(scores, i.bias);
    const visible = visibleKeys(g, i, plan);
    if (visible) scores = g.select(visible, scores, HIDDEN);
    let weights = g.unary('Softmax', scores);
    // With causality alone every query sees the first key, and the hidden ones have weight 0 already.
    if (visible && (plan.mask || plan.window > 0)) weights = g.select(visible, weights, 0);
    const left = plan.dropout > 0 ? g.mul(weights, maskOf(g, i, plan)) : weights;
    const output = g.batchMatMul(g.reshape(left, i.rows), valuesOf(g, i, plan));
    const y = g.transpose(g.reshape(output, i.heads), HEADS_FIRST);
    if (!residuals) return [y];
    return plan.softCap > 0 ? [y, weights, curve] : [y, weights];
  });
}

function backward(call: NodeCall): tf.TensorInfo[] {
  const { inputs, attrs } = call;
  const { dy, output, residual0: weights, residual1: curve, bias } = inputs;
  const plan = planOf(call);
  const { B, T, S, C, N, K, H, Hv } = sizesOf(inputs, attrs);
  const feeds: Record<string, Feed> = {
    ...feedsOf(call, plan),
    ...{ dy, output, weights },
    ...(plan.softCap > 0 ? { curve } : {}),
    outputs: [B * K, (N / K) * T, Hv],
    queryHeads: [B, N, T, H],
    keyHeads: [B, K, S, H],
    valueHeads: [B, K, S, Hv],
    ...(plan.cut ? { room: [0, 0, 0, C - S, 0, 0, 0, 0] } : {}),
    ...(bias ? { biasShape: bias.shape } : {}),
  };
  const summed = bias ? broadcastAxes(bias.shape) : [];
  return call.graph(`attentionGrad ${JSON.stringify(plan)} ${summed.join()}`, feeds, (g, i) => {
    const dOutput = g.reshape(g.transpose(i.dy, HEADS_FIRST), i.outputs);
    const mask = plan.dropout > 0 ? maskOf(g, i, plan) : undefined;
    const left = mask ? g.mul(i.weights, mask) : i.weights;
    const dValue = g.batchMatMul(g.reshape(left, i.rows), dOutput, true, false);
    const dLeft = g.reshape(g.batchMatMul(dOutput, valuesOf(g, i, plan), false, true), i.scores);
    const dWeights = mask ? g.mul(dLeft, mask) : dLeft;
    const along = g.transpose(g.reduce('Sum', g.mul(i.dy, i.output), [3], true), HEADS_FIRST);
    // What a hidden key holds may have overflowed: `MulNoNan` gives 0 where its second argument is 0, whatever the first.
    const slope = g.sub(dWeights, along);
    const dBiased = g.op('MulNoNan', [slope, i.weights]);
    let dScores = dBiased;
    if (plan.softCap > 0) dScores = g.op('MulNoNan', [g.sub(1, g.mul(i.curve, i.curve)), dScores]);
    const dRows = g.reshape(dScores, i.rows);
    const dQuery = g.mul(g.batchMatMul(dRows, keysOf(g, i, plan)), plan.scale);
    const dKey = g.batchMatMul(dRows, queriesOf(g, i, plan), true, false);
    const back = (x: Value, heads: Value): Value => g.transpose(g.reshape(x, heads), HEADS_FIRST);
    const whole = (x: Value): Value => (plan.cut ? padded(g, x, i.room) : x);
    return [
      back(dQuery, i.queryHeads),
      whole(back(dKey, i.keyHeads)),
      whole(back(dValue, i.valueHeads)),
      ...(bias
        ? [g.reshape(summed.length > 0 ? g.reduce('Sum', dBiased, summed) : dBiased, i.biasShape)]
        : []),
    ];
  });
}

/** [B·K, G·T, H], scaled. */
function queriesOf(g: Graph, i: Record<string, Value>, { scale }: Plan): Value {
  return g.reshape(g.transpose(g.mul(i.query, scale), HEADS_FIRST), i.queries);
}

/** [B·K, S, H] */
function keysOf(g: Graph, i: Record<string, Value>, { cut }: Plan): Value {
  const key = cut ? firstRows(g, i.key, i.keysInUse) : i.key;
  return g.reshape(g.transpose(key, HEADS_FIRST), i.keys);
}

/** [B·K, S, Hv] */
function valuesOf(g: Graph, i: Record<string, Value>, { cut }: Plan): Value {
  const value = cut ? firstRows(g, i.value, i.valuesInUse) : i.value;
  return g.reshape(g.transpose(value, HEADS_FIRST), i.values);
}

/** Bool, broadcastable to [B, N, T, S]; undefined when everything is visible. */
function visibleKeys(g: Graph, i: Record<string, Value>, plan: Plan): Value | undefined {
  const parts: Value[] = plan.mask ? [i.mask] : [];
  if (plan.causal || plan.window > 0) {
    const int = { T: { type: 'int32' } } as const;
    const zero = g.constant(0, 'int32');
    const count = (size: Value, shape: number[]): Value => {
      const range = g.op('Range', [zero, size, g.constant(1, 'int32')], {
        Tidx: { type: 'int32' },
      });
      return g.reshape(range, g.constant(shape, 'int32'), 'int32');
    };
    const [T, S, offset] = g.unpack(i.positions, 3, 'int32');
    const place = g.op('AddV2', [count(T, [-1, 1]), offset], int);
    const distance = g.op('Sub', [place, count(S, [1, -1])], int); // how far the key lies before the query
    const W = g.constant(plan.window, 'int32');
    if (plan.causal) parts.push(g.op('GreaterEqual', [distance, zero], int));
    if (plan.window > 0) parts.push(g.op('Less', [distance, W], int));
    if (plan.ahead) parts.push(g.op('Greater', [distance, g.constant(-plan.window, 'int32')], int));
  }
  if (parts.length === 0) return undefined;
  return parts.reduce((a, b) => g.op('LogicalAnd', [a, b], {}));
}

/** What dropout multiplies the weights by. */
function maskOf(g: Graph, i: Record<string, Value>, { dropout }: Plan): Value {
  return g.reshape(dropoutMask(g, i, dropout), i.scores);
}

function firstRows(g: Graph, x: Value, size: Value): Value {
  const attributes = { T: { type: 'float32' }, Index: { type: 'int32' } } as const;
  return g.op('Slice', [x, g.constant([0, 0, 0, 0], 'int32'), size], attributes);
}

/** x with zeros behind it, as many as `room` says for each axis: [4·2]. */
function padded(g: Graph, x: Value, room: Value): Value {
  const paddings = g.reshape(room, g.constant([4, 2], 'int32'), 'int32');
  const attributes = { T: { type: 'float32' }, Tpaddings: { type: 'int32' } } as const;
  return g.op('Pad', [x, paddings], attributes);
}

/** Axes of [B, N, T, S] along which a tensor is broadcast, size 1 or none. */
function broadcastAxes(shape: number[]): number[] {
  const skip = 4 - shape.length;
  return [0, 1, 2, 3].filter((axis) => axis < skip || shape[axis - skip] === 1);
}
