/**
 * Matrix products of the wasm backend in Chromium, before and after `accelerate()`: in an ordinary page, and in a cross-origin
 * isolated one, where the backend has threads.
 *
 * `npm run build`, then `npx tsx bench/isolated_page.ts`.
 */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { startChromium } from '../test/browser/chromium.js';
import { serve } from '../test/browser/server.js';
import { bundle } from './bundle.js';
import { row, timingOf } from './pairs.js';

/** [batch, m, k, n]. */
const SHAPES = [
  [1, 1, 768, 768],
  [1, 1, 768, 3072],
  [1, 16, 16, 16],
  [1, 32, 64, 64],
  [1, 64, 64, 64],
  [1, 64, 128, 128],
  [1, 128, 128, 512],
  [1, 512, 512, 512],
  [1, 1024, 384, 1536],
  [32, 128, 32, 128],
];
const ROUNDS = 15;

/** Milliseconds a call of each round, before and after, for a shape without and with its second matrix transposed. */
interface Times {
  title: string;
  work: number;
  before: number[];
  after: number[];
}

const script = `
  import * as tf from '@tensorflow/tfjs-core';
  import { getThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
  import { accelerate } from 'tfjs-transformers/wasm';
  setWasmPaths('/wasm/');
  await tf.setBackend('wasm');
  const results = [];
  for (const [batch, m, k, n] of ${JSON.stringify(SHAPES)}) {
    for (const transposed of [false, true]) {
      const a = tf.randomUniform(batch > 1 ? [batch, m, k] : [m, k], -1, 1);
      const right = transposed ? [n, k] : [k, n];
      const b = tf.randomUniform(batch > 1 ? [batch, ...right] : right, -1, 1);
      const product = () => tf.matMul(a, b, false, transposed);
      const wanted = product().dataSync();
      const undo = accelerate();
      const got = product().dataSync();
      undo();
      if (!got.every((value, i) => Math.abs(value - wanted[i]) < 1e-3)) throw new Error('not equal');
      const time = () => {
        const start = performance.now();
        let calls = 0;
        do { product().dispose(); calls++; } while (performance.now() - start < 20);
        return (performance.now() - start) / calls;
      };
      const [before, after] = [[], []];
      for (let round = -2; round < ${ROUNDS}; round++) {
        const plain = time();
        const undo = accelerate();
        const ours = time();
        undo();
        if (round >= 0) { before.push(plain); after.push(ours); }
      }
      const title = (batch > 1 ? batch + ' × ' : '') + '[' + m + ',' + k + ']·' + '[' + k + ',' + n + ']' + (transposed ? 'ᵀ stored' : '');
      results.push({ title, work: 2e-6 * batch * m * k * n, before, after });
      tf.dispose([a, b]);
    }
  }
  globalThis.finished = { threads: getThreadsCount(), results };
`;

const browser = await startChromium();
const require = createRequire(import.meta.url);
const places = { '/wasm/': dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) };
for (const isolated of [false, true]) {
  const server = await serve(await bundle(script), places, () => isolated);
  const tab = await browser.newPage();
  tab.on('pageerror', (error) => console.error(error.message));
  // TensorFlow.js takes half of the processors, so that two threads need four.
  if (isolated)
    await tab.addInitScript(
      "Object.defineProperty(navigator, 'hardwareConcurrency', { value: 4 })",
    );
  await tab.goto(server.url);
  await tab.waitForFunction('globalThis.finished', undefined, { timeout: 300_000 });
  const { threads, results } = (await tab.evaluate('finished')) as {
    threads: number;
    results: Times[];
  };
  console.log(`\n${isolated ? `isolated page, ${threads} threads` : 'ordinary page'}; GFLOP/s\n`);
  console.log('| product | TensorFlow.js | accelerate() | faster by |\n| --- | --- | --- | --- |');
  for (const { title, work, before, after } of results) {
    const speed = (times: number[]) => timingOf(times.map((time) => work / time));
    const ratio = timingOf(before.map((time, i) => time / after[i]));
    console.log(row(title, speed(before), speed(after), ratio));
  }
  await tab.close();
  server.stop();
}
await browser.close();
