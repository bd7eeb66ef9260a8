/**
 * How should a cache of immutable tensors grow: a tensor of the exact length, or a buffer with spare room?
 * Appends one token to keys and values [1, S, 4, 32] and attends over them. `npx tsx bench/cache_writes.ts [backend]`
 */
import * as tf from '@tensorflow/tfjs';
import { masks, ops } from 'tfjs-transformers';
import { pair, row, start } from './pairs.js';

const backend = process.argv[2] ?? 'wasm';
if (!(await start(backend))) throw new Error(`Backend '${backend}' is not here.`);
const [heads, size, capacity] = [4, 32, 2048];
const query = tf.randomNormal([1, 1, heads, size], 0, 1, 'float32', 1);
const token = tf.randomNormal([1, 1, heads, size], 0, 1, 'float32', 2);

console.log(`${backend}, capacity ${capacity}`);
console.log(row('in use', 'exact length, ms', 'buffer with spare room, ms', 'exact is faster by'));
console.log('|---|---|---|---|');
for (const length of [16, 128, 512, 1536]) {
  const keys = tf.randomNormal([1, length, heads, size], 0, 1, 'float32', 3);
  const buffer = tf.concat([keys, tf.zeros([1, capacity - length, heads, size])], 1);
  const exact = (): tf.Tensor => {
    const grown = tf.concat([keys, token], 1);
    return ops.dotProductAttention(query, grown, grown);
  };
  const spare = (): tf.Tensor => {
    const rest = tf.slice(buffer, [0, length + 1], [-1, capacity - length - 1]);
    const written = tf.concat([tf.slice(buffer, [0, 0], [-1, length]), token, rest], 1);
    const mask = masks.causal(1, capacity, length);
    return ops.dotProductAttention(query, written, written, { mask });
  };
  const run = async (way: () => tf.Tensor): Promise<Float32Array> => {
    const output = tf.tidy(way);
    const values = (await output.data()) as Float32Array;
    output.dispose();
    return values;
  };
  const [a, b] = [await run(exact), await run(spare)];
  if (!a.every((value, i) => Math.abs(value - b[i]) < 1e-5))
    throw new Error('The two ways differ.');
  const result = await pair(
    () => run(exact),
    () => run(spare),
    9,
  );
  console.log(row(String(length), result.ours, result.peer, result.ratio));
}
