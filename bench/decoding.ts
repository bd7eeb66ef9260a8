/** What does one more token cost, with the cache and without, as the context grows? `npx tsx bench/decoding.ts [backend]` */
import * as tf from '@tensorflow/tfjs';
import { generation, models } from 'tfjs-transformers';
import { pair, row, start } from './pairs.js';

const backend = process.argv[2] ?? 'wasm';
if (!(await start(backend))) throw new Error(`Backend '${backend}' is not here.`);
const model = models.causalLM({
  vocabularySize: 96, maxSequenceLength: 1024, hiddenDim: 128, numLayers: 4, numHeads: 4, position: 'rotary', seed: 1,
}); // prettier-ignore

console.log(`${backend}, 4 layers, width 128`);
console.log(row('context', 'cached, ms a token', 'recomputed, ms a token', 'cached is faster by'));
console.log('|---|---|---|---|');
for (const length of [16, 64, 256, 512]) {
  const ids = Array.from({ length }, (_, i) => (i * 5) % 96);
  const cache = generation.createCache(model);
  const last = tf.tensor2d([[7]], [1, 1], 'int32');
  const all = tf.tensor2d([...ids, 7], [1, length + 1], 'int32');
  const kwargs = { training: false, lastPositionOnly: true };
  tf.tidy(
    () => model.apply(tf.tensor2d(ids, [1, length], 'int32'), { ...kwargs, cache }) as tf.Tensor,
  );
  const cached = async (): Promise<Float32Array> => {
    const logits = tf.tidy(() => (model.apply(last, { ...kwargs, cache }) as tf.Tensor).flatten());
    const values = (await logits.data()) as Float32Array;
    logits.dispose();
    cache.trim(length);
    return values;
  };
  const recomputed = async (): Promise<Float32Array> => {
    const logits = tf.tidy(() => (model.apply(all, kwargs) as tf.Tensor).flatten());
    const values = (await logits.data()) as Float32Array;
    logits.dispose();
    return values;
  };
  const [a, b] = [await cached(), await recomputed()];
  if (!a.every((value, i) => Math.abs(value - b[i]) < 1e-4))
    throw new Error(`Logits differ at ${length} tokens.`);
  const result = await pair(cached, recomputed);
  console.log(row(String(length), result.ours, result.peer, result.ratio));
  cache.dispose();
}
