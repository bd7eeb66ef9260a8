/**
 * How should a cache grow: a new tensor of the exact length, a buffer with spare room copied whole because tensors are
 * immutable, or a buffer that a kernel writes in place? Appends one token to keys and values [1, S, 4, 32] and attends
 * over them. `npx tsx bench/cache_writes.ts [backend]`
 */
import * as tf from '@tensorflow/tfjs';
import { masks, ops } from 'tfjs-transformers';
import { registerKernels, unregisterKernels } from 'tfjs-transformers/wasm';
import { cacheWrite } from '../src/ops/cache_write.js';
import { alternate, row, start, type Side } from './pairs.js';

const backend = process.argv[2] ?? 'wasm';
if (!(await start(backend))) throw new Error(`Backend '${backend}' is not here.`);
const [heads, size, capacity] = [4, 32, 2048];
const query = tf.randomNormal([1, 1, heads, size], 0, 1, 'float32', 1);
const token = tf.randomNormal([1, 1, heads, size], 0, 1, 'float32', 2);

const EXACT = 'exact length';
const SPARE = 'buffer, copied';
const IN_PLACE = 'buffer, in place';

console.log(`${backend}, capacity ${capacity}, ms a token`);
const kernels = backend === 'wasm';
const ways = [EXACT, SPARE, ...(kernels ? [IN_PLACE] : [])];
console.log(row('in use', ...ways));
console.log(`|---${'|---'.repeat(ways.length)}|`);
for (const length of [16, 128, 512, 1536]) {
  const keys = tf.randomNormal([1, length, heads, size], 0, 1, 'float32', 3);
  const buffer = tf.concat([keys, tf.zeros([1, capacity - length, heads, size])], 1);
  const held = tf.add(buffer, 0); // the kernel changes it: the others have their own
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
  const inPlace = (): tf.Tensor => {
    const written = cacheWrite(held, token, length);
    return ops.dotProductAttention(query, written, written, { keyLength: length + 1 });
  };
  const run = async (way: () => tf.Tensor, byKernels: boolean): Promise<Float32Array> => {
    if (kernels) (byKernels ? registerKernels : unregisterKernels)();
    const output = tf.tidy(way);
    const values = (await output.data()) as Float32Array;
    output.dispose();
    return values;
  };
  const sides: Record<string, () => Promise<Float32Array>> = {
    [EXACT]: () => run(exact, false),
    [SPARE]: () => run(spare, false),
    ...(kernels && { [IN_PLACE]: () => run(inPlace, true) }),
  };
  const expected = await sides[EXACT]();
  for (const side of Object.values(sides)) {
    const values = await side();
    if (!values.every((value, i) => Math.abs(value - expected[i]) < 1e-5))
      throw new Error('The ways differ.');
  }
  const { times } = await alternate(sides as Record<string, Side>);
  console.log(row(String(length), ...ways.map((way) => times[way])));
}
