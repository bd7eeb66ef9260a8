/**
 * What do attention and its gradient cost as the sequence grows: the kernel, our reference, and attention written by
 * hand? Time, and bytes of the backend's memory at the height. `npx tsx bench/attention.ts [longest] [head size …]`
 *
 * With fused multiply-add: `node --experimental-wasm-relaxed-simd --import tsx bench/attention.ts`.
 */
import * as tf from '@tensorflow/tfjs';
import { ops } from 'tfjs-transformers';
import 'tfjs-transformers/wasm';
import { forcePath, type Path } from '../src/ops/dispatch.js';
import { peakBytes } from '../test/support/peak_bytes.js';
import { alternate, row, start, type Side } from './pairs.js';

if (!(await start('wasm'))) throw new Error("Backend 'wasm' is not here.");
const longest = Number(process.argv[2] ?? 4096);
const sizes = process.argv.slice(3).map(Number);

type Attention = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => tf.Tensor;
type Way = 'kernel' | 'reference' | 'by hand';

/** Attention as it is written by hand, with an additive mask. */
function byHand(causal: boolean): Attention {
  return (q, k, v) => {
    const [query, key, value] = [q, k, v].map((x) => tf.transpose(x, [0, 2, 1, 3]));
    let scores = tf.matMul(query, key, false, true).div(Math.sqrt(q.shape[3]!));
    const T = q.shape[1]!;
    if (causal)
      scores = scores.add(
        tf.linalg
          .bandPart(tf.ones([T, T]), -1, 0)
          .sub(1)
          .mul(1e9),
      );
    return tf.transpose(tf.matMul(tf.softmax(scores), value), [0, 2, 1, 3]);
  };
}

function expectEqual(way: string, actual: tf.Tensor[], expected: tf.Tensor[]): void {
  actual.forEach((tensor, i) => {
    const error = tf.tidy(() => tf.max(tf.abs(tf.sub(tensor, expected[i]))).dataSync()[0]);
    if (!(error < 1e-4)) throw new Error(`${way}: result ${i} is ${error} off.`);
  });
}

for (const H of sizes.length > 0 ? sizes : [32, 64]) {
  for (const causal of [false, true]) {
    console.log(
      `\nheads of ${H}${causal ? ', causal' : ''}; milliseconds, and megabytes at the height`,
    );
    console.log(
      row('batch × length × heads', '', 'kernel', 'GFLOP/s', 'reference', 'by hand', 'faster than reference', 'than by hand', 'kernel, MB', 'reference, MB', 'by hand, MB'), // prettier-ignore
    );
    console.log('|---|---|---|---|---|---|---|---|---|---|---|');
    for (let T = 128; T <= longest; T *= 2) {
      const B = Math.max(1, 512 / T);
      const N = T > 1024 ? 1 : 4; // so that the peers' scores fit into memory
      const [q, k, v, dy] = [1, 2, 3, 4].map((seed) =>
        tf.randomNormal([B, T, N, H], 0, 1, 'float32', seed),
      );
      const ways: Record<Way, [Path, Attention]> = {
        kernel: ['kernel', (q, k, v) => ops.dotProductAttention(q, k, v, { causal })],
        reference: ['reference', (q, k, v) => ops.dotProductAttention(q, k, v, { causal })],
        'by hand': ['auto', byHand(causal)],
      };
      const names = Object.keys(ways) as Way[];
      const all = (attention: Attention): tf.Tensor[] =>
        tf.grads((...x: tf.Tensor[]) => attention(x[0], x[1], x[2]))([q, k, v], dy);
      for (const backward of [false, true]) {
        const compute = (way: Way): tf.Tensor[] =>
          backward ? all(ways[way][1]) : [ways[way][1](q, k, v)];
        const run = (way: Way): tf.Tensor[] => forcePath(ways[way][0], () => compute(way));
        const expected = tf.tidy(() => run('kernel'));
        const peaks = {} as Record<Way, number>;
        for (const way of names) {
          let results: tf.Tensor[] = [];
          // The wasm backend computes at once: nothing is waited for.
          peaks[way] = peakBytes(() => {
            results = run(way).map((tensor) => tf.keep(tensor));
            return [];
          });
          expectEqual(way, results, expected);
          tf.dispose(results);
        }
        tf.dispose(expected);
        const sides = Object.fromEntries(
          names.map((way) => [way, () => Promise.resolve(tf.dispose(tf.tidy(() => run(way))))]),
        ) as Record<Way, Side>;
        // V8 compiles a function better after some calls.
        for (let i = 0; i < 20; i++) await sides.kernel();
        const { times, ratio } = await alternate(sides, T > 1024 ? 1 : T > 256 ? 5 : 15, 0);
        const alone = await alternate({ kernel: sides.kernel }, 20, 0);
        const seen = causal ? (T * (T + 1)) / 2 : T * T;
        // Two products forward; backward, the scores once more and four gradients.
        const operations = 2 * B * N * seen * H * (backward ? 7 : 2);
        const peak = (way: Way): string => (peaks[way] / 1e6).toFixed(2);
        console.log(
          row(
            `${B} × ${T} × ${N}`,
            backward ? 'and gradient' : 'forward',
            alone.times.kernel,
            (operations / alone.times.kernel.min / 1e6).toFixed(1),
            times.reference,
            times['by hand'],
            ratio('kernel', 'reference'),
            ratio('kernel', 'by hand'),
            peak('kernel'),
            peak('reference'),
            peak('by hand'),
          ),
        );
      }
      tf.dispose([q, k, v, dy]);
    }
  }
}
