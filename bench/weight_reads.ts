/**
 * One more token reads every weight once: how close is that to the speed of memory?
 * `npx tsx bench/weight_reads.ts [layers] [width]`, 12 layers of width 768 unless given: 340 MB.
 */
import * as tf from '@tensorflow/tfjs';
import { generation, models } from 'tfjs-transformers';
import { registerKernels, unregisterKernels } from 'tfjs-transformers/wasm';
import { memoryReader } from './memory_read.js';
import { alternate, row, start } from './pairs.js';

const [layers, width] = [Number(process.argv[2] ?? 12), Number(process.argv[3] ?? 768)];
if (!(await start('wasm'))) throw new Error("Backend 'wasm' is not here.");
const model = models.causalLM({
  vocabularySize: 96, maxSequenceLength: 128, hiddenDim: width, numLayers: layers, numHeads: width / 64, position: 'rotary', seed: 1,
}); // prettier-ignore
const bytes = 4 * model.countParams();
const reader = await memoryReader(bytes);
const cache = generation.createCache(model);
const LENGTH = 16;
const ids = tf.tensor2d(Array.from({ length: LENGTH + 1 }, (_, i) => (i * 5) % 96), [1, LENGTH + 1], 'int32'); // prettier-ignore
const kwargs = { training: false, lastPositionOnly: true };
const logits = async (tokens: tf.Tensor, options: object): Promise<Float32Array> => {
  const output = tf.tidy(() => tf.reshape(model.apply(tokens, options) as tf.Tensor, [-1]));
  const values = (await output.data()) as Float32Array;
  output.dispose();
  return values;
};
const [prompt, last] = tf.split(ids, [LENGTH, 1], 1);
await logits(prompt, { ...kwargs, cache });
const token = async (): Promise<Float32Array> => {
  const values = await logits(last, { ...kwargs, cache });
  cache.trim(LENGTH);
  return values;
};

registerKernels();
const kernels = await token();
unregisterKernels();
for (const [name, other] of Object.entries({
  references: await token(),
  'no cache': await logits(ids, kwargs),
})) {
  if (!kernels.every((value, i) => Math.abs(value - other[i]) < 1e-4))
    throw new Error(`Logits with kernels differ from those by ${name}.`);
}

const sides = {
  'one token, kernels': async () => {
    registerKernels();
    await token();
  },
  'one token, references': async () => {
    unregisterKernels();
    await token();
  },
  'reading memory, nothing else': async () => reader(),
};
const { times, ratio } = await alternate(sides, 7);
console.log(
  `${layers} layers, width ${width}: ${(bytes / 1e6).toFixed(0)} MB of weights, ${LENGTH} tokens in the cache`,
);
console.log(row('', 'ms', 'GB/s', 'share of the speed of memory'));
console.log('|---|---|---|---|');
for (const [name, timing] of Object.entries(times)) {
  const share = ratio(name as keyof typeof sides, 'reading memory, nothing else');
  console.log(row(name, timing, (bytes / timing.median / 1e6).toFixed(1), share));
}
