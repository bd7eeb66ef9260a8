/** Matrix products alone: what every other row can be read against. */
import * as tf from '@tensorflow/tfjs';
import { cpus } from 'node:os';
import { accelerate } from 'tfjs-transformers/wasm';
import { alternate, start, type Side } from '../pairs.js';
import { onnxMatMul, type Product } from '../onnx_matmul.js';
import { cannotRun, type Effort, type Row, type Table } from './table.js';

/** [batch, m, k, n, and whether the second operand lies transposed]. */
const SHAPES: [number, number, number, number, boolean][] = [
  [1, 512, 512, 512, false],
  [1, 1024, 384, 1536, false],
  [1, 1024, 384, 1536, true],
  [48, 256, 64, 256, false],
  [48, 256, 64, 256, true],
];

/**
 * Answers it: GFLOP/s of each, one row a way and shape.
 *
 * @param effort Quick: fewer rounds.
 * @returns The table.
 */
export async function matrixProducts({ quick }: Effort): Promise<Table> {
  const threads = cpus().length;
  if (!(await start('wasm'))) throw new Error("Backend 'wasm' is not here.");
  const native = await start('tensorflow');
  const runtimes: Record<string, Product> = {};
  const rows: Row[] = [];
  const WEB = 'ONNX Runtime Web, wasm';
  const NODE = `ONNX Runtime Node, ${threads} threads`;
  for (const [way, runtime] of [
    [WEB, 'onnxruntime-web'],
    [NODE, 'onnxruntime-node'],
  ] as const) {
    try {
      runtimes[way] = await onnxMatMul(runtime);
    } catch (error) {
      rows.push(cannotRun(way, error));
    }
  }
  let restore = accelerate();
  restore();
  for (const [batch, m, k, n, transposed] of SHAPES) {
    await tf.setBackend('wasm');
    const shape = batch > 1 ? [batch] : [];
    const [a, b] = [[m, k], [k, n]].map((size, i) => tf.randomNormal([...shape, ...size], 0, 1, 'float32', i)); // prettier-ignore
    const [valuesA, valuesB] = [a.dataSync<'float32'>(), b.dataSync<'float32'>()];
    const flip = (x: tf.Tensor): tf.Tensor => tf.transpose(x, x.rank === 3 ? [0, 2, 1] : [1, 0]);
    const stored = transposed ? flip(b) : b;
    const product =
      (x: tf.Tensor, y: tf.Tensor, prepare: () => void) => async (): Promise<Float32Array> => {
        prepare();
        const c = tf.matMul(x, y, false, transposed);
        const values = (await c.data()) as Float32Array;
        c.dispose();
        return values;
      };
    const OURS = 'ours, wasm';
    const sides: Record<string, () => Promise<Float32Array>> = {};
    const on =
      (backend: string, side: () => Promise<Float32Array>) => async (): Promise<Float32Array> => {
        if (tf.getBackend() !== backend) await tf.setBackend(backend);
        return side();
      };
    sides[OURS] = on(
      'wasm',
      product(a, stored, () => (restore = accelerate())),
    );
    sides['TensorFlow.js, wasm'] = on(
      'wasm',
      product(a, stored, () => restore()),
    );
    const against: Record<string, string> = { 'TensorFlow.js, wasm': OURS };
    if (WEB in runtimes) {
      // A graph of one node has no transposed product: its operand is given as it wants it.
      sides[WEB] = runtimes[WEB](valuesA, a.shape, valuesB, b.shape);
      against[WEB] = OURS;
    }
    if (native) {
      await tf.setBackend('tensorflow');
      const [x, y] = [tf.tensor(valuesA, a.shape), tf.tensor(await stored.data(), stored.shape)];
      sides[`tfjs-node, ${threads} threads`] = on(
        'tensorflow',
        product(x, y, () => undefined),
      );
    }
    if (NODE in runtimes) {
      sides[NODE] = runtimes[NODE](valuesA, a.shape, valuesB, b.shape);
    }
    let expected: Float32Array | undefined;
    for (const [way, side] of Object.entries(sides)) {
      const values = await side();
      expected ??= values;
      if (!values.every((value, i) => Math.abs(value - expected![i]) < 1e-4 * Math.sqrt(k)))
        throw new Error(`matrix products: ${way} differs from ours at ${a.shape.join()}.`);
    }
    const { times, ratio } = await alternate<string>(
      sides as Record<string, Side>,
      quick ? 9 : 30,
      30,
      20,
    );
    const amount = 2 * batch * m * k * n;
    const what = `${batch > 1 ? `${batch} × ` : ''}[${m},${k}]·[${k},${n}]${transposed ? 'ᵀ' : ''}`;
    for (const way of Object.keys(sides)) {
      const { median, min } = times[way];
      const cells = [(amount / median / 1e6).toFixed(1), (amount / min / 1e6).toFixed(1)];
      const peer = against[way];
      rows.push({
        way: `${what}: ${way}`,
        cells,
        ...(peer === undefined ? {} : { ratio: ratio(peer, way) }),
      });
    }
    tf.dispose([a, b, stored]);
  }
  restore();
  return {
    name: 'matrix products',
    question: 'Matrix products alone: what can this machine do?',
    notes:
      'The products agree. ᵀ: the second operand lies transposed (ONNX Runtime gets it as it is). Results are read, as they are from ONNX ' +
      'Runtime. The native ones run on all threads; none of them is ours, so they have no ratio: they say what the machine can do.',
    columns: ['GFLOP/s', 'at best'],
    rows,
  };
}
