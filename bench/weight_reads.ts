/**
 * One more token reads every weight once: how close is that to the speed of memory?
 * `npx tsx bench/weight_reads.ts [layers] [width] [vocabulary]`, 12 layers of width 768 unless given: 340 MB. GPT-2's vocabulary, 50257, makes
 * it 496 MB.
 *
 * On one thread with the wasm kernels; on all of them on tfjs-node, where it is built. So reading is timed both ways, on the heap of
 * this process and, by TensorFlow's `Sum`, by all threads.
 */
import * as tf from '@tensorflow/tfjs';
import { generation, models } from 'tfjs-transformers';
import * as node from 'tfjs-transformers/node';
import * as wasm from 'tfjs-transformers/wasm';
import { memoryReader } from './memory_read.js';
import { alternate, row, start, type Side } from './pairs.js';

const [layers = 12, width = 768, vocabularySize = 96] = process.argv.slice(2).map(Number);
const LENGTH = 16;
const kwargs = { training: false, lastPositionOnly: true };
const tokens = Array.from({ length: LENGTH + 1 }, (_, i) => (i * 5) % 96);
const sides: Record<string, Side> = {};
/** The side that a token's time is held against. */
const reads: Record<string, string> = {};
const results: Record<string, Float32Array> = {};
let bytes = 0;

if (!(await start('wasm'))) throw new Error("Backend 'wasm' is not here.");
await enter('wasm', wasm);
const reader = await memoryReader(bytes);
sides['reading memory, one thread'] = async () => reader();
if (await start('tensorflow')) {
  await enter('tensorflow', node);
  const memory = tf.keep(tf.ones([Math.floor(bytes / 4)]));
  sides['reading memory, all threads'] = async () => {
    await tf.setBackend('tensorflow');
    const sum = tf.sum(memory);
    await sum.data();
    sum.dispose();
  };
}

const [[first, expected], ...others] = Object.entries(results);
for (const [name, values] of others) {
  if (!expected.every((value, i) => Math.abs(value - values[i]) < 1e-4))
    throw new Error(`Logits of ${name} differ from those of ${first}.`);
}
const { times, ratio } = await alternate(sides, 7);
console.log(
  `${layers} layers, width ${width}: ${(bytes / 1e6).toFixed(0)} MB of weights, ${LENGTH} tokens in the cache`,
);
console.log(row('', 'ms', 'GB/s', 'share of the speed of memory'));
console.log('|---|---|---|---|');
for (const [name, timing] of Object.entries(times)) {
  const share = name in reads ? ratio(name, reads[name]) : '';
  console.log(row(name, timing, (bytes / timing.median / 1e6).toFixed(1), share));
}

/** Adds one more token on a backend, by its kernels and without. */
async function enter(
  backend: string,
  {
    registerKernels,
    unregisterKernels,
  }: Record<'registerKernels' | 'unregisterKernels', () => void>,
): Promise<void> {
  registerKernels();
  const model = models.causalLM({
    vocabularySize, maxSequenceLength: 128, hiddenDim: width, numLayers: layers, numHeads: width / 64, position: 'rotary', seed: 1,
  }); // prettier-ignore
  bytes = 4 * model.countParams();
  const ids = tf.tensor2d(tokens, [1, LENGTH + 1], 'int32');
  const logits = async (ids: tf.Tensor, options: object): Promise<Float32Array> => {
    const output = tf.tidy(() => tf.reshape(model.apply(ids, options) as tf.Tensor, [-1]));
    const values = (await output.data()) as Float32Array;
    output.dispose();
    return values;
  };
  const [prompt, last] = tf.split(ids, [LENGTH, 1], 1);
  results[`${backend}, no cache`] = await logits(ids, kwargs);
  for (const [way, prepare] of [
    ['kernels', registerKernels],
    ['references', unregisterKernels],
  ] as const) {
    prepare();
    const cache = generation.createCache(model);
    await logits(prompt, { ...kwargs, cache });
    const token = async (): Promise<Float32Array> => {
      await tf.setBackend(backend);
      prepare();
      const values = await logits(last, { ...kwargs, cache });
      cache.trim(LENGTH);
      return values;
    };
    const name = `one token, ${backend}, ${way}`;
    results[name] = await token();
    sides[name] = token;
    reads[name] = backend === 'wasm' ? 'reading memory, one thread' : 'reading memory, all threads';
  }
}
