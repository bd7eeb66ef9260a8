/**
 * How close do matrix products come to what the core can do, and to those of others?
 * `npx tsx bench/matrix_products.ts [rounds]`; with fused multiply-add on Node 20:
 * `node --experimental-wasm-relaxed-simd --import tsx bench/matrix_products.ts`.
 * ONNX Runtime Web is compared where it is there: `npm install --prefix bench`.
 */
import * as tf from '@tensorflow/tfjs';
import { accelerate } from 'tfjs-transformers/wasm';
import { moduleOf, type WasmBackend } from '../src/kernels/wasm/module.js';
import { memoryReader } from './memory_read.js';
import { multiplyAdds, operations } from './multiply_adds.js';
import { onnxMatMul } from './onnx_matmul.js';
import { alternate, row, start, type Timing } from './pairs.js';

const rounds = Number(process.argv[2] ?? 50);
const WINDOW = 10; // milliseconds of each side in a round
if (!(await start('wasm'))) throw new Error("Backend 'wasm' is not here.");
const { fused } = moduleOf(tf.backend() as unknown as WasmBackend)!;
const loop = await multiplyAdds(fused);
const onnx = await onnxMatMul().catch(() => null);
let restore = accelerate();

type Side = 'loop' | 'plain' | 'transposeB' | 'transposeA' | 'both' | 'theirs' | 'onnx';

/** A product by our kernel, operands transposed as they lie or not. */
const ours =
  (a: tf.Tensor, b: tf.Tensor, transposeA = false, transposeB = false) =>
  async () => {
    restore = accelerate();
    tf.dispose(tf.matMul(a, b, transposeA, transposeB));
  };
const theirs = (a: tf.Tensor, b: tf.Tensor) => async () => {
  restore();
  tf.dispose(tf.matMul(a, b));
};

/** Compares a product with one by definition, at a hundred places. */
function check(name: string, c: ArrayLike<number>, a: tf.Tensor, b: tf.Tensor): void {
  const [m, k] = a.shape.slice(-2);
  const n = b.shape[b.rank - 1];
  const [valuesA, valuesB] = [a.dataSync(), b.dataSync()];
  for (let at = 0; at < c.length; at += Math.max(1, Math.floor(c.length / 101))) {
    const [x, i, j] = [Math.floor(at / m / n), Math.floor(at / n) % m, at % n];
    let sum = 0;
    for (let p = 0; p < k; p++) sum += valuesA[(x * m + i) * k + p] * valuesB[(x * k + p) * n + j];
    if (!(Math.abs(c[at] - sum) < 1e-5 * k)) throw new Error(`${name}: ${c[at]} is not ${sum}.`);
  }
}

const transposed = (x: tf.Tensor): tf.Tensor =>
  tf.transpose(x, [...x.shape.slice(0, -2).map((_, i) => i), x.rank - 1, x.rank - 2]);
const rate = (amount: number, { median, min }: Timing): string =>
  `${(amount / median / 1e6).toFixed(1)} (${(amount / min / 1e6).toFixed(1)})`;

console.log(
  `${fused ? 'Relaxed' : 'Plain'} SIMD, one thread. GFLOP/s: median of ${rounds} (best).\n`,
);
console.log(
  row('[m,k]·[k,n]', 'A·B', 'A·Bᵀ', 'Aᵀ·B', 'Aᵀ·Bᵀ', 'TensorFlow.js', 'ONNX Runtime', 'A·B / loop', 'A·B / TensorFlow.js', 'A·B / ONNX'), // prettier-ignore
);
console.log(`|${'---|'.repeat(10)}`);
for (const [batch, m, k, n] of [
  [1, 512, 512, 512],
  [1, 1024, 384, 1536],
  [48, 256, 64, 256],
  [32, 128, 32, 128], // attention of the tiny GPT: scores
  [32, 128, 128, 32], // … and values
  [1, 1024, 128, 384], // its projections and their gradients
  [1, 1024, 128, 512],
  [1, 1024, 512, 128],
  [1, 128, 1024, 512],
  [1, 1024, 128, 96],
  [1, 1024, 128, 4],
  [1, 1024, 128, 1],
  [1, 8, 128, 512],
  [1, 1, 128, 512],
  [1, 16, 16, 16],
  [1, 1, 8, 8],
]) {
  const shape = batch > 1 ? [batch] : [];
  const [a, b] = [[m, k], [k, n]].map((size, i) => tf.randomNormal([...shape, ...size], 0, 1, 'float32', i)); // prettier-ignore
  const [aT, bT] = [transposed(a), transposed(b)];
  const byOnnx = onnx?.(a.dataSync<'float32'>(), a.shape, b.dataSync<'float32'>(), b.shape);
  restore = accelerate();
  check('A·B', tf.matMul(a, b).dataSync(), a, b);
  check('A·Bᵀ', tf.matMul(a, bT, false, true).dataSync(), a, b);
  check('Aᵀ·B', tf.matMul(aT, b, true).dataSync(), a, b);
  check('Aᵀ·Bᵀ', tf.matMul(aT, bT, true, true).dataSync(), a, b);
  if (byOnnx) check('ONNX Runtime', await byOnnx(), a, b);
  const sides: Record<Side, () => Promise<unknown>> = {
    loop: async () => loop(),
    plain: ours(a, b),
    transposeB: ours(a, bT, false, true),
    transposeA: ours(aT, b, true),
    both: ours(aT, bT, true, true),
    theirs: theirs(a, b),
    onnx: byOnnx ?? (async () => undefined),
  };
  const { times, ratio } = await alternate(sides, rounds, WINDOW);
  const flops = 2 * batch * m * k * n;
  const share = ratio('plain', 'loop').median * (flops / operations);
  const cells = [times.plain, times.transposeB, times.transposeA, times.both, times.theirs];
  console.log(
    row(
      `${batch > 1 ? `${batch} × ` : ''}[${m},${k}]·[${k},${n}]`,
      ...cells.map((time) => rate(flops, time)),
      byOnnx ? rate(flops, times.onnx) : 'not installed',
      `${(100 * share).toFixed(0)} % of ${rate(operations, times.loop)}`,
      ratio('plain', 'theirs'),
      byOnnx ? ratio('plain', 'onnx') : '',
    ),
  );
  tf.dispose([a, b, aT, bT]);
}

console.log('\nOne row times a matrix W. GB/s of W: median (best).\n');
console.log(row('W', 'x·W', 'x·Wᵀ', 'TensorFlow.js', 'reading memory', 'x·W / reading', 'x·Wᵀ / reading')); // prettier-ignore
console.log(`|${'---|'.repeat(7)}`);
for (const [k, n] of [
  [768, 768],
  [768, 3072],
  [4096, 4096],
  [1024, 50257],
]) {
  const [x, xT, w] = [tf.ones([1, k]), tf.ones([1, n]), tf.randomUniform([k, n])];
  const reader = await memoryReader(4 * k * n);
  const { times, ratio } = await alternate(
    {
      plain: ours(x, w),
      transposed: ours(xT, w, false, true),
      theirs: theirs(x, w),
      reading: async () => reader(),
    },
    rounds,
    WINDOW,
  );
  const speeds = [times.plain, times.transposed, times.theirs, times.reading];
  console.log(
    row(
      `[${k},${n}], ${((4 * k * n) / 1e6).toFixed(0)} MB`,
      ...speeds.map((time) => rate(4 * k * n, time)),
      ...[ratio('plain', 'reading'), ratio('transposed', 'reading')],
    ),
  );
  tf.dispose([x, xT, w]);
}
restore();
