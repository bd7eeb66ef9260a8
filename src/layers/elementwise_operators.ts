/** Operators that work element by element, and reductions. */
import * as tf from '@tensorflow/tfjs-core';
import { largeNegative } from '../masks/large_negative.js';
import { toBool } from '../masks/to_bool.js';
import { gelu } from '../ops/gelu.js';
import { silu } from '../ops/silu.js';
import { cos, sin } from '../ops/sin_cos.js';
import { broadcastMask } from '../util/broadcast.js';
import { stopGradient } from '../util/stop_gradient.js';
import {
  asAxes,
  asFloats,
  asNumbers,
  asTensor,
  type Operand,
  type OperatorFunction,
} from './operand.js';

type Two = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;
type One = (x: tf.Tensor) => tf.Tensor;

/** Of two operands, either of which may be a constant. */
function two(body: Two): OperatorFunction {
  return (a, b) => body(asNumbers(a, b), asNumbers(b, a));
}

/** Of two operands or more, one after another. */
function several(body: Two): OperatorFunction {
  return (first, ...others) => {
    let result: Operand = first;
    for (const other of others) result = two(body)(result, other);
    return others.length === 0 ? tf.clone(asTensor(first)) : (result as tf.Tensor);
  };
}

/** Of two operands as floats. */
function floats(body: Two): OperatorFunction {
  return (a, b) => body(asFloats(a), asFloats(b));
}

/** Of one operand as floats. */
function one(body: One): OperatorFunction {
  return (x) => body(asFloats(x));
}

/** A truth value has no gradient; made from taped tensors it would break the tape. */
function truth(body: Two): OperatorFunction {
  return (a, b) => stopGradient(() => body(asNumbers(a, b), asNumbers(b, a)));
}

function logical(body: Two): OperatorFunction {
  return (a, b) => stopGradient(() => body(bool(a), bool(b)));
}

function bool(x: Operand): tf.Tensor {
  return toBool(asTensor(x), 'operator', 'operand');
}

/** A reduction with `axis` and `keepdims`. */
function reduction(
  body: (x: tf.Tensor, axis: number | number[] | undefined, keep: boolean) => tf.Tensor,
  prepare: (x: Operand) => tf.Tensor = asFloats,
): OperatorFunction {
  return (x, axis, keep) => body(prepare(x), asAxes(axis), Boolean(keep));
}

/** softmax over any axis or axes; what a mask leaves out gets exactly 0. */
function softmax(operand: Operand, axis: Operand, mask: Operand): tf.Tensor {
  const x = asFloats(operand);
  const axes = [axis ?? -1].flat().map((at) => ((at as number) + x.rank) % x.rank);
  const hidden = mask instanceof tf.Tensor ? broadcastMask(bool(mask), x.shape) : null;
  const low = (): tf.Tensor => tf.fill(x.shape, largeNegative());
  const scores = hidden ? tf.where(hidden, x, low()) : x;
  const last = axes.length === 1 && axes[0] === x.rank - 1;
  const shifted = (): tf.Tensor =>
    tf.exp(
      tf.sub(
        scores,
        stopGradient(() => tf.max(scores, axes, true)),
      ),
    );
  const normalized = (e: tf.Tensor): tf.Tensor => tf.div(e, tf.sum(e, axes, true));
  const shares = last ? tf.softmax(scores) : normalized(shifted());
  return hidden ? tf.where(hidden, shares, tf.zerosLike(shares)) : shares;
}

/** x where the condition holds, y elsewhere; all three broadcast. */
function where(condition: Operand, a: Operand, b: Operand): tf.Tensor {
  const [x, y] = [asNumbers(a, b), asNumbers(b, a)];
  const flags = bool(condition);
  const shape = [x.shape, y.shape].reduce(
    (joined, next) => tf.backend_util.assertAndGetBroadcastShape(joined, next),
    flags.shape,
  );
  const whole = x.dtype === 'int32' && y.dtype === 'int32' ? 'int32' : 'float32';
  const full = (z: tf.Tensor): tf.Tensor => {
    const cast = tf.cast(z, whole);
    return z.shape.join() === shape.join() ? cast : tf.add(cast, tf.zeros(shape, whole));
  };
  return tf.where(broadcastMask(flags, shape), full(x), full(y));
}

function clip(x: Operand, low: Operand, high: Operand): tf.Tensor {
  const numbers = asNumbers(x);
  return tf.minimum(tf.maximum(numbers, asTensor(low, x)), asTensor(high, x));
}

/** x / max(‖x‖, tiny), the norm over an axis. */
function normalize(operand: Operand, axis: Operand, order: Operand, tiny: Operand): tf.Tensor {
  const x = asFloats(operand);
  const axes = asAxes(axis) ?? -1;
  const norm =
    order === 1
      ? tf.sum(tf.abs(x), axes, true)
      : tf.sqrt(tf.maximum(tf.sum(tf.square(x), axes, true), ((tiny ?? 1e-12) as number) ** 2));
  return tf.div(x, tf.maximum(norm, (tiny ?? 1e-12) as number));
}

function variance(x: tf.Tensor, axis?: number | number[], keep?: boolean): tf.Tensor {
  const centered = tf.sub(x, tf.mean(x, axis, true));
  return tf.mean(tf.square(centered), axis, keep);
}

/** log Σ exp(x), shifted by the largest so that nothing overflows. */
function logSumExp(x: tf.Tensor, axis?: number | number[], keep?: boolean): tf.Tensor {
  return tf.logSumExp(x, axis, keep);
}

/** Operators by name. */
export const ELEMENTWISE: Record<string, OperatorFunction> = {
  identity: (x) => tf.clone(asTensor(x)),
  stopGradient: (x) => stopGradient(() => tf.clone(asTensor(x))),
  add: several((a, b) => tf.add(a, b)),
  subtract: two((a, b) => tf.sub(a, b)),
  multiply: several((a, b) => tf.mul(a, b)),
  average: (...all) => tf.div(tf.addN(all.map(asFloats)), all.length),
  divide: floats((a, b) => tf.div(a, b)),
  divideNoNan: floats((a, b) => tf.divNoNan(a, b)),
  floorDivide: two((a, b) => tf.floor(tf.div(a, b))),
  mod: two((a, b) => tf.mod(a, b)),
  power: two((a, b) => tf.pow(a, b)),
  maximum: several((a, b) => tf.maximum(a, b)),
  minimum: several((a, b) => tf.minimum(a, b)),
  negative: (x) => tf.neg(asNumbers(x)),
  absolute: (x) => tf.abs(asNumbers(x)),
  sign: (x) => tf.sign(asNumbers(x)),
  square: (x) => tf.square(asNumbers(x)),
  exp: one((x) => tf.exp(x)),
  expm1: one((x) => tf.expm1(x)),
  log: one((x) => tf.log(x)),
  log1p: one((x) => tf.log1p(x)),
  sqrt: one((x) => tf.sqrt(x)),
  rsqrt: one((x) => tf.rsqrt(x)),
  reciprocal: one((x) => tf.reciprocal(x)),
  sin: one(sin),
  cos: one(cos),
  tan: one((x) => tf.div(sin(x), cos(x))),
  erf: one((x) => tf.erf(x)),
  floor: one((x) => tf.floor(x)),
  ceil: one((x) => tf.ceil(x)),
  round: one((x) => tf.round(x)),
  clip,
  where,
  equal: truth((a, b) => tf.equal(a, b)),
  notEqual: truth((a, b) => tf.notEqual(a, b)),
  greater: truth((a, b) => tf.greater(a, b)),
  greaterEqual: truth((a, b) => tf.greaterEqual(a, b)),
  less: truth((a, b) => tf.less(a, b)),
  lessEqual: truth((a, b) => tf.lessEqual(a, b)),
  logicalAnd: logical((a, b) => tf.logicalAnd(a, b)),
  logicalOr: logical((a, b) => tf.logicalOr(a, b)),
  logicalXor: logical((a, b) => tf.logicalXor(a, b)),
  logicalNot: (x) => stopGradient(() => tf.logicalNot(bool(x))),
  // Activations, by the names that Keras gives them.
  linear: (x) => tf.clone(asTensor(x)),
  relu: one((x) => tf.relu(x)),
  relu6: one((x) => tf.minimum(tf.relu(x), 6)),
  reluWith: (x, slope, limit, threshold) => relu(asFloats(x), slope, limit, threshold),
  leakyRelu: (x, slope) => tf.leakyRelu(asFloats(x), slope as number),
  elu: (x, alpha) => elu(asFloats(x), (alpha ?? 1) as number),
  selu: one((x) => tf.selu(x)),
  gelu: (x, approximate) => gelu(asFloats(x), { approximate: Boolean(approximate) }),
  quickGelu: one((x) => tf.mul(x, tf.sigmoid(tf.mul(x, 1.702)))),
  silu: one((x) => silu(x)),
  sigmoid: one((x) => tf.sigmoid(x)),
  tanh: one((x) => tf.tanh(x)),
  softplus: one((x) => tf.softplus(x)),
  softsign: one((x) => tf.div(x, tf.add(tf.abs(x), 1))),
  exponential: one((x) => tf.exp(x)),
  mish: one((x) => tf.mul(x, tf.tanh(tf.softplus(x)))),
  hardSigmoid: one((x) => tf.div(tf.minimum(tf.relu(tf.add(x, 3)), 6), 6)),
  hardSilu: one((x) => tf.mul(x, tf.div(tf.minimum(tf.relu(tf.add(x, 3)), 6), 6))),
  hardSigmoidOfKeras2: one((x) => tf.clipByValue(tf.add(tf.mul(x, 0.2), 0.5), 0, 1)),
  softmax,
  logSoftmax: (x, axis) => tf.logSoftmax(asFloats(x), (axis ?? -1) as number),
  // Reductions.
  sum: reduction((x, axis, keep) => tf.sum(x, axis, keep), asNumbers),
  mean: reduction((x, axis, keep) => tf.mean(x, axis, keep)),
  max: reduction((x, axis, keep) => tf.max(x, axis, keep), asNumbers),
  min: reduction((x, axis, keep) => tf.min(x, axis, keep), asNumbers),
  prod: reduction((x, axis, keep) => tf.prod(x, axis, keep), asNumbers),
  var: reduction((x, axis, keep) => variance(x, axis, keep)),
  std: reduction((x, axis, keep) => tf.sqrt(variance(x, axis, keep))),
  logsumexp: reduction(logSumExp),
  any: (x, axis, keep) => stopGradient(() => tf.any(bool(x), asAxes(axis), Boolean(keep))),
  all: (x, axis, keep) => stopGradient(() => tf.all(bool(x), asAxes(axis), Boolean(keep))),
  argmax: (x, axis) => stopGradient(() => tf.argMax(asNumbers(x), (axis ?? 0) as number)),
  argmin: (x, axis) => stopGradient(() => tf.argMin(asNumbers(x), (axis ?? 0) as number)),
  cumsum: (x, axis) => tf.cumsum(asNumbers(x), (axis ?? 0) as number),
  normalize,
};

/** ReLU with a slope below the threshold and a limit. */
function relu(x: tf.Tensor, slope: Operand, limit: Operand, threshold: Operand): tf.Tensor {
  const from = (threshold ?? 0) as number;
  const flat = tf.mul(tf.sub(x, from), (slope ?? 0) as number);
  const above = stopGradient(() => tf.greaterEqual(x, from));
  const y = tf.where(above, x, flat);
  return typeof limit === 'number' ? tf.minimum(y, limit) : y;
}

function elu(x: tf.Tensor, alpha: number): tf.Tensor {
  if (alpha === 1) return tf.elu(x);
  const above = stopGradient(() => tf.greater(x, 0));
  return tf.where(above, x, tf.mul(tf.elu(x), alpha));
}
