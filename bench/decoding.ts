/**
 * What does one more token cost as the context grows to 4,096: by our kernels and by our references with the cache, the
 * attention over the cached keys alone, and the whole computed anew? Then: a row of 4,096 tokens by `generate`, and a
 * prompt of 2,048 fed in parts. `npx tsx bench/decoding.ts [backend]`
 */
import * as tf from '@tensorflow/tfjs';
import { generation, models, ops } from 'tfjs-transformers';
import { registerKernels, unregisterKernels } from 'tfjs-transformers/wasm';
import { alternate, row, start, timingOf, type Side } from './pairs.js';

const backend = process.argv[2] ?? 'wasm';
if (!(await start(backend))) throw new Error(`Backend '${backend}' is not here.`);
const [layers, width, heads, longest] = [4, 128, 4, 4096];
const model = models.causalLM({
  vocabularySize: 96, maxSequenceLength: longest, hiddenDim: width, numLayers: layers, numHeads: heads,
  position: 'rotary', seed: 1,
}); // prettier-ignore

const kernels = backend === 'wasm';
const use = (byKernels: boolean): void => {
  if (kernels) (byKernels ? registerKernels : unregisterKernels)();
};
const read = async (logits: tf.Tensor): Promise<Float32Array> => {
  const values = (await logits.data()) as Float32Array;
  logits.dispose();
  return values;
};
const idsOf = (length: number): number[] => Array.from({ length }, (_, i) => (i * 5) % 96);
const kwargs = { training: false, lastPositionOnly: true };

const [KERNELS, CACHED, ATTENTION, ANEW] = ['kernels', 'references', 'its attention', 'anew'];
const ways = [...(kernels ? [KERNELS] : []), CACHED, ATTENTION, ANEW];
console.log(`${backend}, ${layers} layers, width ${width}: one more token, ms`);
console.log(row('context', ...ways));
console.log(`|---${'|---'.repeat(ways.length)}|`);
for (const length of [16, 64, 256, 1024, 2048, longest - 1]) {
  const last = tf.tensor2d([[7]], [1, 1], 'int32');
  const cached = async (byKernels: boolean): Promise<() => Promise<Float32Array>> => {
    use(byKernels);
    const cache = generation.createCache(model);
    await generation.generate(model, idsOf(length), { cache, maxNewTokens: 1 });
    return async () => {
      use(byKernels);
      const values = await read(
        tf.tidy(() => (model.apply(last, { ...kwargs, cache }) as tf.Tensor).flatten()),
      );
      cache.trim(length);
      return values;
    };
  };
  const shape: [number, number, number, number] = [1, length + 1, heads, width / heads];
  const query = tf.randomNormal([1, 1, heads, width / heads]) as tf.Tensor4D;
  const keys = tf.randomNormal(shape) as tf.Tensor4D;
  const attention = async (): Promise<void> => {
    use(kernels);
    for (let i = 0; i < layers; i++) {
      const output = tf.tidy(() => ops.dotProductAttention(query, keys, keys)) as tf.Tensor;
      await output.data();
      output.dispose();
    }
  };
  const anew = (): Promise<Float32Array> => {
    use(kernels);
    const all = [...idsOf(length), 7];
    return read(
      tf.tidy(() =>
        (model.apply(tf.tensor2d([all], undefined, 'int32'), kwargs) as tf.Tensor).flatten(),
      ),
    );
  };
  const sides: Record<string, () => Promise<Float32Array>> = {
    ...(kernels && { [KERNELS]: await cached(true) }),
    [CACHED]: await cached(false),
  };
  const expected = await anew();
  for (const side of Object.values(sides)) {
    const values = await side();
    if (!values.every((value, i) => Math.abs(value - expected[i]) < 1e-4))
      throw new Error(`Logits differ at ${length} tokens.`);
  }
  const { times } = await alternate<string>(
    { ...sides, [ATTENTION]: attention } as Record<string, Side>,
    5,
    200,
  );
  // Rounds of the slow one are few, and none is its first.
  const rounds: number[] = [];
  for (let i = 0; i < (length > 512 ? 1 : 3); i++) {
    const from = performance.now();
    await anew();
    rounds.push(performance.now() - from);
  }
  times[ANEW] = timingOf(rounds);
  console.log(row(String(length), ...ways.map((way) => times[way])));
  tf.dispose([query, keys, last]);
}

// Processor time: what else the machine does hardly counts.
console.log(
  `\none row of ${longest} tokens by generate, ms of processor time a token, mean of each part`,
);
use(kernels);
const processorTime = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const part = 512;
let mark = processorTime();
await generation.generate(model, idsOf(1), {
  maxNewTokens: longest - 1,
  onStep: ({ step }) => {
    if ((step + 2) % part !== 0) return;
    const now = processorTime();
    console.log(row(`${step + 3 - part} … ${step + 2}`, ((now - mark) / part).toFixed(2)));
    mark = now;
  },
});

console.log('\na prompt of 2048 tokens, first token, ms, by the size of its parts');
const prompt = idsOf(2048);
const parts = Object.fromEntries(
  [64, 128, 256, 512, 1024, 2048].map((prefillChunkSize) => [
    String(prefillChunkSize),
    () => generation.generate(model, prompt, { maxNewTokens: 1, prefillChunkSize }),
  ]),
);
const { times } = await alternate(parts, 3, 0);
for (const [size, timing] of Object.entries(times)) console.log(row(size, timing));
