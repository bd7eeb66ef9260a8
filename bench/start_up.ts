/**
 * What do the wasm kernels cost before they help: bytes to load, and time from their import to the first result?
 * `npm run build && npx tsx bench/start_up.ts [rounds]`. Measures the built package, each time in a new process.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { relaxedSimd, simd } from '../src/kernels/wasm/binary.js';
import { row, timingOf } from './pairs.js';

const program = (first: string): string => `
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { ops } from 'tfjs-transformers';
await tf.setBackend('wasm');
const x = tf.ones([16, 64]);
await ops.gelu(x).data();
const start = performance.now();
${first}
const y = await ops.layerNorm(x).data();
if (!y.every((value) => value === 0)) throw new Error('The first result is wrong.');
console.log(performance.now() - start);
`;
const root = fileURLToPath(new URL('..', import.meta.url));
const milliseconds = (first: string): number => {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [...process.execArgv.filter((flag) => flag.startsWith('--experimental')), '--input-type=module', '-e', program(first)], // prettier-ignore
    { cwd: root, encoding: 'utf8' },
  );
  const time = Number(stdout.trim().split('\n').at(-1));
  if (!(time > 0)) throw new Error(stderr);
  return time;
};

for (const [name, build] of Object.entries({ SIMD: simd, 'relaxed SIMD': relaxedSimd })) {
  const bytes = Buffer.from(build, 'base64');
  const size = (length: number): string => `${(length / 1000).toFixed(1)} kB`;
  console.log(`${name}: ${size(bytes.length)}, ${size(gzipSync(bytes).length)} gzipped`);
}
const rounds = Number(process.argv[2] ?? 7);
const times: [number, number][] = [];
for (let i = 0; i < rounds; i++)
  times.push([milliseconds("await import('tfjs-transformers/wasm');"), milliseconds('')]);
console.log(row('from here to a result', 'ms'));
console.log('|---|---|');
console.log(row('import of the kernels, their first result', timingOf(times.map(([a]) => a))));
console.log(row('the same by the reference, nothing imported', timingOf(times.map(([, b]) => b))));
