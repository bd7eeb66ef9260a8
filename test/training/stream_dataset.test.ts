import type { Example } from '../../src/training/collate.js';
import type { Batch } from '../../src/training/dataset.js';
import { streamDataset } from '../../src/training/stream_dataset.js';

const collect = async (batches: AsyncIterable<Batch>): Promise<Batch[]> => {
  const all: Batch[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
};
const numbers = (batches: Batch[]): number[][] =>
  batches.map(({ labels }) => Array.from(labels.values));
const source = (count: number) =>
  async function* (epoch: number): AsyncGenerator<Example> {
    for (let i = 0; i < count; i++) {
      yield {
        inputs: { x: Array.from({ length: 1 + (i % 4) }, () => i) },
        labels: 100 * epoch + i,
      };
    }
  };

test('in order without a pool, from any batch on', async () => {
  const dataset = streamDataset(source(5), { batchSize: 2 });
  expect([dataset.batchesPerEpoch, dataset.size]).toEqual([undefined, null]);
  expect(numbers(await collect(dataset.batches(1)))).toEqual([[100, 101], [102, 103], [104]]);
  expect(numbers(await collect(dataset.batches(1, 2)))).toEqual([[104]]);
  const plain = streamDataset(() => [{ inputs: { x: 1 }, labels: 2 }]);
  expect(numbers(await collect(plain.batches()))).toEqual([[2]]);
});

test('a pool is shuffled in itself, another way in every epoch, and resumes', async () => {
  const dataset = streamDataset(source(47), { batchSize: 3, pool: 5, seed: 1, bucketBy: 'x' });
  const all = await collect(dataset.batches(0));
  const flat = numbers(all).flat();
  for (let start = 0; start < 47; start += 15) {
    const part = flat.slice(start, start + 15);
    if (part.length > 9) expect(part).not.toEqual([...part].sort((a, b) => a - b));
    expect([...part].sort((a, b) => a - b)).toEqual(
      Array.from({ length: part.length }, (_, i) => start + i),
    );
  }
  const next = numbers(await collect(dataset.batches(1))).flat();
  expect(next.map((n) => n - 100)).not.toEqual(flat);
  for (const from of [1, 5, 7, 15]) {
    expect(await collect(dataset.batches(0, from))).toEqual(all.slice(from));
  }
});

test('bad calls are refused', async () => {
  expect(() => streamDataset([] as never)).toThrow('streamDataset: open must be a function');
  expect(() => streamDataset(source(1), { buffer: 3 } as never)).toThrow("unknown option 'buffer'");
  await expect(collect(streamDataset(() => 3 as never).batches())).rejects.toThrow(
    'streamDataset: open must return an iterable of examples, got 3.',
  );
});
