/** One random call of each operation that has kernels, by its name. */
import * as tf from '@tensorflow/tfjs';

import { adamWUpdate } from '../../src/ops/adam_w_update.js';
import { cacheWrite } from '../../src/ops/cache_write.js';
import { globalNorm } from '../../src/ops/global_norm.js';
import * as ops from '../../src/ops/index.js';
import type { Chance } from '../support/chance.js';
import { normalised, type Truth } from '../support/float64.js';

/** A call, for `expectKernelLikeReference`. */
export interface Case {
  /** Inputs that gradients flow into. */
  inputs: tf.Tensor[];
  /** What else the call depends on, for the message of a failure; tensors stand for their shapes. */
  options?: object;
  /** The call. */
  operation: (...inputs: tf.Tensor[]) => tf.Tensor;
  /** What is right; by default, `operation` without kernels. */
  reference?: (...inputs: tf.Tensor[]) => tf.Tensor;
  /** The right value and gradients, for a gradient of the output, where two right answers may differ by much. */
  truth?: (dy: ArrayLike<number>) => Truth[];
  /** How many times the usual tolerance two right answers may differ by; 1 by default. */
  slack?: number;
}

const ELEMENTS = 4096;
/** Sizes of numbers: all the same, tiny, usual, and where exponentials saturate. */
const SCALES = [0, 1e-4, 1, 1, 1, 4, 30];

/** Calls of TensorFlow.js itself, which `accelerate` makes faster, by name. */
export const acceleratedCases: Record<string, (chance: Chance) => Case> = {
  matMul: (chance) => {
    const [m, k, n] = [chance.length(97), chance.length(97), chance.length(97)];
    const batch = chance.shape(chance.whole(0, 2), 7);
    const [batchA, batchB] = chance.once(3)
      ? [chance.broadcastable(batch), batch]
      : [batch, chance.once(3) ? batch.map(() => 1) : batch];
    const [transposeA, transposeB] = [chance.once(2), chance.once(2)];
    const a = chance.tensor([...batchA, ...(transposeA ? [k, m] : [m, k])]);
    const b = chance.tensor([...batchB, ...(transposeB ? [n, k] : [k, n])]);
    const options = { a, b, transposeA, transposeB };
    const operation = (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
      tf.matMul(a, b, transposeA, transposeB);
    if (batchA.join() === batchB.join()) return { inputs: [a, b], options, operation };
    // TensorFlow.js 4.22 takes the wrong matrices of [2, 1, …] beside [2, 2, …], and its gradient does not sum over the
    // axes of a batch that was broadcast.
    const whole = (x: tf.Tensor): tf.Tensor => tf.broadcastTo(x, [...batch, ...x.shape.slice(-2)]);
    return {
      inputs: [],
      options,
      operation: () => operation(a, b),
      reference: () => operation(whole(a), whole(b)),
    };
  },

  'fused.matMul': (chance) => {
    const [m, k, n] = [chance.length(97), chance.length(97), chance.length(97)];
    const [transposeA, transposeB] = [chance.once(2), chance.once(2)];
    const [a, b] = [chance.tensor(transposeA ? [k, m] : [m, k]), chance.tensor(transposeB ? [n, k] : [k, n])]; // prettier-ignore
    const bias = chance.once(2) ? chance.tensor([n]) : undefined;
    const slopes = chance.tensor([n]);
    const activations: Record<string, (x: tf.Tensor) => tf.Tensor> = {
      linear: (x) => x,
      relu: tf.relu,
      relu6: tf.relu6,
      elu: tf.elu,
      sigmoid: tf.sigmoid,
      prelu: (x) => tf.prelu(x, slopes),
      leakyrelu: (x) => tf.leakyRelu(x, 0.3),
    };
    const activation = chance.pick(Object.keys(activations)) as tf.fused.Activation;
    const options = {
      ...{ a: a as tf.Tensor2D, b: b as tf.Tensor2D, transposeA, transposeB, bias, activation },
      preluActivationWeights: activation === 'prelu' ? slopes : undefined,
      leakyreluAlpha: 0.3,
    };
    return {
      inputs: [],
      options,
      operation: () => tf.fused.matMul(options),
      // Its own, in TensorFlow.js 4.22, adds a bias to other columns where a matrix is transposed.
      reference: () => {
        const product = tf.matMul(a, b, transposeA, transposeB);
        return activations[activation](bias ? tf.add(product, bias) : product);
      },
    };
  },

  transpose: (chance) => {
    const rank = chance.whole(1, 5);
    const perm = Array.from({ length: rank }, (_, axis) => axis);
    for (let i = rank - 1; i > 0; i--) {
      const j = chance.whole(0, i);
      [perm[i], perm[j]] = [perm[j], perm[i]];
    }
    return {
      inputs: [chance.tensor(chance.shape(rank, ELEMENTS))], // TensorFlow.js 4.22 divides by a size of 0
      options: { perm },
      operation: (x) => tf.transpose(x, perm),
    };
  },

  clone: (chance) => ({
    inputs: [anything(chance)],
    operation: (x) => tf.mul(tf.clone(x), tf.clone(x)),
  }),
};

/** Sets rows to 0, so that their gradients are 0: none, or those that a random choice takes. */
function rowsOf(chance: Chance, lead: number[], axes: number): (y: tf.Tensor) => tf.Tensor {
  if (chance.once(2)) return (y) => y;
  const kept = tf.cast(chance.integers(lead, 0, chance.whole(0, 3)), 'float32');
  const shape = [...lead, ...Array<number>(axes).fill(1)];
  return (y) => tf.mul(y, tf.reshape(tf.minimum(kept, 1), shape));
}

/** Cases by the name of the operation. */
export const cases: Record<string, (chance: Chance) => Case> = {
  linear: (chance) => {
    const lead = chance.shape(chance.whole(0, 3), 131);
    const [from, to] = [chance.shape(chance.whole(1, 2), 131), chance.shape(chance.whole(1, 2), 131)]; // prettier-ignore
    const options: ops.LinearOptions = { inputAxes: from.length };
    if (from.length === 1 && to.length === 1) options.transposeKernel = chance.once(2);
    if (chance.once(2)) options.activation = chance.pick(ops.activationNames);
    const kernel = chance.tensor(options.transposeKernel ? [...to, ...from] : [...from, ...to], 0.3); // prettier-ignore
    const bias = chance.once(2) ? [chance.tensor(to)] : [];
    const padding = rowsOf(chance, lead, to.length);
    return {
      inputs: [chance.tensor([...lead, ...from]), kernel, ...bias],
      options,
      operation: (x, kernel, bias) => padding(ops.linear(x, kernel, bias, options)),
    };
  },

  projections: (chance) => {
    const lead = chance.shape(chance.whole(0, 3), 131);
    const D = chance.length(65);
    const widths = Array.from({ length: chance.whole(1, 4) }, () => chance.shape(chance.whole(1, 2), 65)); // prettier-ignore
    const biased = widths.map(() => chance.once(2));
    const weights = widths.flatMap((width, i) => [
      chance.tensor([D, ...width]),
      ...(biased[i] ? [chance.tensor(width)] : []),
    ]);
    const padding = rowsOf(chance, lead, 1);
    return {
      inputs: [chance.tensor([...lead, D]), ...weights],
      options: { biased },
      operation: (x, ...weights) => {
        const rest = [...weights];
        const maps = biased.map((has) => ({ kernel: rest.shift()!, bias: has ? rest.shift()! : null })); // prettier-ignore
        const outputs = ops.projections(x, maps).map((y) => tf.reshape(y, [...lead, -1]));
        return padding(outputs.length === 1 ? outputs[0] : tf.concat(outputs, -1));
      },
    };
  },

  residual: (chance) => {
    const shape = chance.shape(chance.whole(0, 4), ELEMENTS);
    return {
      inputs: [chance.tensor(shape), chance.tensor(shape)],
      operation: (x, added) => ops.residual(x, added),
    };
  },

  dotProductAttention: (chance) => {
    const [B, K, H, Hv] = [chance.whole(1, 3), chance.whole(1, 3), headSize(chance), headSize(chance)]; // prettier-ignore
    const N = K * chance.whole(1, 4);
    const [T, S] = [chance.length(131), chance.length(131)];
    const scale = chance.pick([0.1, 1, 1, 5]);
    const inputs = [
      chance.tensor([B, T, N, H], scale),
      chance.tensor([B, S, K, H]),
      chance.tensor([B, S, K, Hv]),
    ];
    const options: ops.DotProductAttentionOptions = {};
    if (chance.once(2)) options.causal = true;
    if (chance.once(3)) options.offset = chance.whole(0, S + 3);
    if (chance.once(3)) options.window = chance.whole(1, S + 3);
    if (chance.once(3)) options.scale = chance.pick([0, 0.3, -0.5, 1]);
    if (chance.once(3)) options.softCap = chance.pick([0.5, 3, 50]);
    if (chance.once(3)) {
      options.dropout = chance.pick([0.1, 0.5, 0.9]);
      options.training = !chance.once(4);
      options.seed = { seed: chance.whole(0, 2 ** 40), counter: chance.whole(0, 9) } as ops.DropoutOptions['seed'] & object; // prettier-ignore
    }
    if (chance.once(2)) options.mask = visible(chance, B, N, T, S);
    // Probabilities are divided by what dropout keeps, and gradients of rows that see one key cancel to 0.
    const slack = 10 / (1 - (options.dropout ?? 0));
    const hasBias = chance.once(3);
    if (hasBias) inputs.push(chance.tensor(chance.broadcastable([B, N, T, S])));
    return {
      inputs,
      options,
      slack,
      operation: (query, key, value, bias) =>
        ops.dotProductAttention(query, key, value, {
          ...options,
          returnScores: false,
          bias: hasBias ? bias : null,
        }),
    };
  },

  layerNorm: (chance) => {
    const { x, axis, parameter, slack, truth } = normed(chance);
    const options = { axis, epsilon: chance.pick([1e-5, 1e-3, 0.1]) };
    const gamma = chance.once(2) ? parameter() : undefined;
    const beta = chance.once(2) ? parameter() : undefined;
    return {
      inputs: [x, gamma, beta].filter((tensor) => tensor !== undefined),
      options: { ...options, gamma: gamma !== undefined, beta: beta !== undefined },
      operation: (x, ...rest) =>
        ops.layerNorm(x, gamma && rest.shift(), beta && rest.shift(), options),
      slack,
      truth: truth({ ...options, gamma, beta, centred: true }),
    };
  },

  rmsNorm: (chance) => {
    const { x, axis, parameter, slack, truth } = normed(chance);
    const options = { axis, epsilon: chance.pick([1e-6, 1e-3, 0.1]) };
    const gamma = chance.once(2) ? parameter() : undefined;
    return {
      inputs: gamma ? [x, gamma] : [x],
      options,
      operation: (x, scale) => ops.rmsNorm(x, scale, options),
      slack,
      truth: truth({ ...options, gamma, centred: false }),
    };
  },

  gelu: (chance) => {
    const options = { approximate: chance.once(2) };
    return { inputs: [anything(chance)], options, operation: (x) => ops.gelu(x, options) };
  },

  silu: (chance) => ({ inputs: [anything(chance)], operation: (x) => ops.silu(x) }),

  softCap: (chance) => {
    const cap = chance.pick([0.1, 1, 30]);
    return { inputs: [anything(chance)], options: { cap }, operation: (x) => ops.softCap(x, cap) };
  },

  gatedLinearUnit: (chance) => {
    const gate = anything(chance);
    const options = { activation: chance.pick(ops.activationNames) };
    return {
      inputs: [gate, chance.tensor(gate.shape)],
      options,
      operation: (gate, up) => ops.gatedLinearUnit(gate, up, options),
    };
  },

  dropout: (chance) => {
    const rate = chance.pick([0.1, 0.3, 0.5, 0.999]);
    const seed = { seed: chance.whole(0, 2 ** 40), counter: chance.whole(0, 2 ** 33) };
    return {
      inputs: [anything(chance)],
      options: { rate, seed },
      operation: (x) => ops.dropout(x, rate, { seed }),
    };
  },

  rotary: (chance) => {
    const [B, T, N] = [chance.whole(1, 3), chance.length(33), chance.whole(1, 5)];
    const H = 2 * chance.length(33);
    const options: ops.RotaryOptions = {};
    if (chance.once(3)) options.rotaryDim = 2 * chance.whole(1, H / 2);
    if (chance.once(3)) options.attentionFactor = 1.5;
    if (chance.once(3)) options.offset = chance.whole(0, 1000);
    else if (chance.once(2))
      options.positions = chance.integers(chance.pick([[T], [1, T], [B, T]]), 0, 500);
    return {
      inputs: [chance.tensor(chance.once(3) ? [B, T, H] : [B, T, N, H])],
      options,
      operation: (x) => ops.rotary(x, options),
    };
  },

  embeddingLookup: (chance) => {
    const [V, D] = [chance.length(97), chance.length(131)];
    const ids = chance.integers(chance.shape(chance.whole(0, 3), 131), 0, V - 1);
    return {
      inputs: [chance.tensor([V, D])],
      options: { ids },
      operation: (table) => ops.embeddingLookup(table, ids),
    };
  },

  sparseSoftmaxCrossEntropy: (chance) => {
    const V = chance.length(131);
    const shape = chance.shape(chance.whole(0, 2), 97);
    const labels = chance.integers(chance.once(3) ? [...shape, 1] : shape, 0, V - 1);
    const options: ops.SparseSoftmaxCrossEntropyOptions = {
      reduction: chance.pick(['mean', 'sum', 'none']),
    };
    if (chance.once(2)) options.ignoreIndex = chance.whole(0, V - 1);
    if (chance.once(2)) options.labelSmoothing = chance.pick([0.1, 0.9]);
    return {
      inputs: [chance.tensor([...shape, V], chance.pick(SCALES))],
      options: { ...options, labels },
      operation: (logits) => ops.sparseSoftmaxCrossEntropy(logits, labels, options),
    };
  },

  cacheWrite: (chance) => {
    const [B, C, T] = [chance.whole(1, 3), chance.length(33), chance.whole(0, 33)];
    const inner = chance.shape(chance.whole(0, 2), 97);
    const written = Math.min(T, C);
    const at = chance.whole(0, C - written);
    const buffer = chance.tensor([B, C, ...inner]);
    const rows = chance.tensor([B, written, ...inner]);
    // What is written over whole, or not at all, is no part of the result, which the tape takes for a mistake.
    return written > 0 && written < C
      ? { inputs: [buffer, rows], options: { at }, operation: (b, r) => cacheWrite(b, r, at) }
      : { inputs: [], options: { buffer, rows, at }, operation: () => cacheWrite(buffer, rows, at) }; // prettier-ignore
  },

  globalNorm: (chance) => ({
    inputs: Array.from({ length: chance.whole(1, 5) }, () =>
      chance.tensor([...chance.shape(chance.whole(0, 3), ELEMENTS), 1], chance.pick([1e-4, 1, 30])),
    ),
    operation: (...tensors) => globalNorm(tensors),
  }),

  adamWUpdate: (chance) => {
    const options = {
      beta1: chance.pick([0, 0.9]),
      beta2: chance.pick([0.95, 0.999]),
      rate: chance.pick([0, 1e-3, 0.1]),
      epsilon: chance.pick([1e-8, 1e-3]),
      scale: chance.once(2) ? tf.scalar(0.3) : undefined,
    };
    const weights = Array.from({ length: chance.whole(1, 4) }, () => {
      const shape = chance.shape(chance.whole(0, 3), 131, true);
      const [weight, first, gradient] = [0, 1, 2].map(() => chance.tensor(shape));
      const second = tf.square(chance.tensor(shape));
      return { weight, first, second, gradient, keep: chance.pick([1, 0.9]) };
    });
    return {
      inputs: [],
      options: { ...options, shapes: weights.map(({ weight }) => weight.shape) },
      operation: () => {
        const entries = weights.map(({ weight, first, second, ...rest }) => {
          const [w, m, v] = [weight, first, second].map((x) => tf.variable(tf.clone(x), false));
          return { weight: w, first: m, second: v, ...rest };
        });
        adamWUpdate(entries, options);
        return tf.tidy(() => {
          const all = entries.flatMap(({ weight, first, second }) => [weight, first, second]);
          const result = tf.concat(all.map((variable) => tf.reshape(variable, [-1])));
          tf.dispose(all);
          return result;
        });
      },
    };
  },
};

function headSize(chance: Chance): number {
  return chance.length(65);
}

function anything(chance: Chance): tf.Tensor {
  return chance.tensor(chance.shape(chance.whole(0, 4), ELEMENTS, true), chance.pick(SCALES));
}

/** A mask of any form and type; some rows see nothing. */
function visible(chance: Chance, B: number, N: number, T: number, S: number): tf.Tensor {
  const shape = chance.broadcastable([B, N, T, S]);
  const most = chance.pick([1, 1, 3, 0]);
  return most > 1
    ? chance.integers(shape, 0, most, 'int32')
    : chance.integers(shape, 0, most, 'bool');
}

/** Input of a normalisation, over the last axis or several. */
function normed(chance: Chance): {
  x: tf.Tensor;
  axis: number | number[];
  parameter: () => tf.Tensor;
  slack: number;
  truth: (parameters: {
    gamma?: tf.Tensor | undefined;
    beta?: tf.Tensor | undefined;
    epsilon: number;
    centred: boolean;
  }) => Case['truth'];
} {
  const rank = chance.whole(1, 4);
  const x = chance.tensor(chance.shape(rank, ELEMENTS), chance.pick([0, 0.1, 1, 30]));
  const count = chance.once(4) ? chance.whole(1, rank) : 1;
  const axis = Array.from({ length: count }, (_, i) => rank - count + i);
  const shape = x.shape.slice(rank - count);
  // Of two or three numbers that lie close together, 1/√(σ² + ε) and its gradient show the roundings of the mean: kernel
  // and reference may both be right and far apart. What they have to be near is the truth.
  const D = tf.util.sizeFromShape(shape);
  const slack = D <= 3 ? 500 : 20;
  return {
    x,
    axis: count === 1 ? -1 : axis,
    parameter: () => chance.tensor(shape),
    slack,
    truth:
      ({ gamma, beta, epsilon, centred }) =>
      (dy) => {
        const { y, dx, dGamma, dBeta } = normalised(x.dataSync(), dy, {
          ...{ D, epsilon, centred },
          ...(gamma && { gamma: gamma.dataSync() }),
          ...(beta && { beta: beta.dataSync() }),
        });
        return [y, dx, ...(gamma ? [dGamma] : []), ...(beta ? [dBeta] : [])];
      },
  };
}
