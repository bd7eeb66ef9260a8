/** Kernels of ours in place of the wasm backend's own, for models that know nothing of this package. */
import * as tf from '@tensorflow/tfjs-core';
import type { Inputs, KernelCall } from './kernel.js';
import { matmul } from './matmul.js';
import type { KernelModule } from './module.js';
import { replaceKernel } from './replace_kernel.js';
import { transposeKernels } from './transpose.js';
import { unaryKernels } from './unary.js';

/** What TensorFlow.js' fused product can be asked for; the numbers are those of assembly/fused_activation.ts. */
const ACTIVATIONS = ['linear', 'relu', 'relu6', 'leakyrelu', 'prelu', 'elu', 'sigmoid'];

/**
 * Products (m·n·k) up to this size, 8 to 15 µs of one thread, are not worth spreading over threads: waking them takes
 * as long.
 */
const WORTH_THREADS = 2 ** 18;

/**
 * One row times a matrix of so many numbers (64 MB) and more is bound by memory. The original keeps a packed copy of it,
 * which it reads as one stream, up to a fifth faster than rows where they lie.
 */
const WORTH_A_COPY = 2 ** 24;

/** A product as TensorFlow.js describes it. */
interface Attributes {
  transposeA: boolean;
  transposeB: boolean;
  /** Only of the fused product. */
  activation?: string;
  leakyreluAlpha?: number;
}

/** Shape of a product: batches [...], one [m, k]·[k, n] each. */
interface Sizes {
  batch: number[];
  m: number;
  n: number;
  k: number;
}

let undo: (() => void) | undefined;

/**
 * Makes every `tf.matMul` and `tf.fused.matMul` on the wasm backend run by this package's matrix product, and with them
 * dense layers, attention written by hand and all gradients of these: an existing TensorFlow.js model gets faster by
 * this one line. Transpositions, `tf.exp`, `tanh`, `erf`, `sigmoid` and `softmax` get faster too.
 *
 * ```ts
 * import { accelerate } from 'tfjs-transformers/wasm';
 * accelerate();
 * ```
 *
 * Takes float32 matrices, transposed or not, any batch axes that broadcast, a bias [N], and the activations that
 * TensorFlow.js fuses. What it cannot take goes to the original, as does a large product of two untransposed matrices
 * where the backend runs on several threads, and one row times a matrix of 64 MB and more.
 *
 * GFLOP/s of one thread with plain SIMD, before and after: [512,512]·[512,512] 31 and 37; [1024,128]·[128,384] 30 and
 * 37; 48 × [256,64]·[64,256] 1.6 and 29; [8,128]·[128,512] 26 and 30. In Chromium, with fused multiply-add, 512³ 32 and
 * 47, and transposed, as in every gradient, 1 to 2.6 and 48 (docs/measurements.md).
 *
 * @returns A function that puts the originals back.
 * @throws Error when the wasm backend has not been imported.
 */
export function accelerate(): () => void {
  undo ??= replaceKernels();
  return undo;
}

function replaceKernels(): () => void {
  const restore = [
    replaceKernel('BatchMatMul', product),
    replaceKernel('_FusedMatMul', product),
    ...transposeKernels.map(({ name, supports, run }) =>
      replaceKernel(name, (call) => (supports!(call.inputs, call.attrs) ? run(call) : null)),
    ),
    ...unaryKernels.map(({ name, attempt }) => replaceKernel(name, attempt)),
  ];
  return () => {
    restore.forEach((one) => one());
    undo = undefined;
  };
}

/** The product, where it is one that ours takes. */
function product(call: KernelCall): tf.TensorInfo | null {
  const attrs = call.attrs as unknown as Attributes;
  const sizes = sizesOf(call.inputs, attrs);
  return sizes && takes(call.module, call.inputs, attrs, sizes) ? run(call, attrs, sizes) : null;
}

/** The sizes of a product; null where the shapes do not fit, so that the original can say so. */
function sizesOf({ a, b }: Inputs, { transposeA, transposeB }: Attributes): Sizes | null {
  const [rowsA, columnsA] = a.shape.slice(-2);
  const [rowsB, columnsB] = b.shape.slice(-2);
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const [kB, n] = transposeB ? [columnsB, rowsB] : [rowsB, columnsB];
  if (k !== kB) return null;
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(
    a.shape.slice(0, -2),
    b.shape.slice(0, -2),
  );
  return { batch, m, n, k };
}

function takes(module: KernelModule, inputs: Inputs, attrs: Attributes, sizes: Sizes): boolean {
  const { a, b, bias, preluActivationWeights } = inputs;
  const { transposeA, transposeB, activation = 'linear' } = attrs;
  const { m, n, k } = sizes;
  if (a.dtype !== 'float32' || b.dtype !== 'float32') return false;
  if (bias && !isRow(bias, n)) return false;
  if (!ACTIVATIONS.includes(activation)) return false;
  if (activation === 'prelu' && !(preluActivationWeights && isRow(preluActivationWeights, n)))
    return false;
  // The original spreads only plain products of two matrices over threads.
  const spread = module.threads > 1 && m * n * k >= WORTH_THREADS;
  const packed = m === 1 && k * n >= WORTH_A_COPY;
  const plain = !transposeA && !transposeB && tf.util.sizeFromShape(sizes.batch) === 1;
  return !((spread || packed) && plain);
}

/** Whether a tensor is one row of n numbers, [n] or [1, …, n]. */
function isRow({ shape, dtype }: tf.TensorInfo, n: number): boolean {
  const size = shape.reduce((x, y) => x * y, 1);
  return dtype === 'float32' && shape[shape.length - 1] === n && size === n;
}

function run(call: KernelCall, attrs: Attributes, { batch, m, n, k }: Sizes): tf.TensorInfo {
  const { a, b, bias, preluActivationWeights } = call.inputs;
  const { transposeA, transposeB, activation = 'linear', leakyreluAlpha = 0 } = attrs;
  const y = call.output([...batch, m, n]);
  const [pointerA, pointerB, c] = [call.pointer(a), call.pointer(b), call.pointer(y)];
  const sizes = { m, n, k, transposeA, transposeB, bias: call.pointer(bias) };
  const [batchA, batchB] = [a, b].map(({ shape }) => tf.util.sizeFromShape(shape.slice(0, -2)));
  const products = tf.util.sizeFromShape(batch);
  if ([1, products].includes(batchA) && [1, products].includes(batchB)) {
    const shared = { sharedA: batchA === 1, sharedB: batchB === 1 };
    matmul(call, { a: pointerA, b: pointerB, c, ...sizes, ...shared, batch: products });
  } else {
    for (let i = 0; i < products; i++) {
      matmul(call, {
        a: pointerA + 4 * m * k * broadcastIndex(i, batch, a.shape),
        b: pointerB + 4 * k * n * broadcastIndex(i, batch, b.shape),
        c: c + 4 * m * n * i,
        ...sizes,
      });
    }
  }
  const code = ACTIVATIONS.indexOf(activation);
  const slopes = call.pointer(preluActivationWeights);
  if (code > 0) call.exports.activate(c, products * m, n, code, leakyreluAlpha, slopes);
  return y;
}

/** Which matrix of a tensor [..., rows, columns] belongs to product i of a batch that its outer axes broadcast to. */
function broadcastIndex(i: number, batch: number[], shape: number[]): number {
  const axes = shape.length - 2;
  let index = 0;
  let stride = 1;
  for (let axis = 1; axis <= batch.length; axis++) {
    const size = batch[batch.length - axis];
    if (axis <= axes && shape[axes - axis] !== 1) {
      index += stride * (i % size);
      stride *= size;
    }
    i = Math.floor(i / size);
  }
  return index;
}
