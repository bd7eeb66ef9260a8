import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Batch } from '../../src/training/dataset.js';
import { lineDataset } from '../../src/training/line_dataset.js';

let folder: string;
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'lines-'))));
afterAll(() => rm(folder, { recursive: true }));

const collect = async (batches: AsyncIterable<Batch>): Promise<Batch[]> => {
  const all: Batch[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
};
const parse = (line: string) => ({
  inputs: { codes: Array.from(line, (letter) => letter.codePointAt(0)!) },
  labels: line.length,
});
const textOf = ({ inputs: { codes } }: Batch): string[] => {
  const [B, T] = codes.shape;
  return Array.from({ length: B }, (_, b) =>
    String.fromCodePoint(...codes.values.slice(b * T, (b + 1) * T)).replace(/\0+$/, ''),
  );
};

test('reads lines where they stand: other alphabets, empty lines, a last line without an end', async () => {
  const path = join(folder, 'text');
  await writeFile(path, 'eins\n\nzwölf 🙂\r\n三\nvier');
  const dataset = await lineDataset(path, { parse, batchSize: 3, shuffle: false });
  expect([dataset.lines, dataset.batchesPerEpoch]).toEqual([4, 2]);
  const batches = await collect(dataset.batches());
  expect(batches.map(textOf)).toEqual([['eins', 'zwölf 🙂', '三'], ['vier']]);
  expect(await collect(dataset.batches(0, 1))).toEqual(batches.slice(1));
});

test('lines across blocks, each epoch every line once in its own order, by length where wanted', async () => {
  const path = join(folder, 'long');
  const lines = Array.from({ length: 5000 }, (_, i) => `${i} ${'x'.repeat(((i * 7919) % 97) * 9)}`);
  await writeFile(path, `${lines.join('\n')}\n`);
  const own = (line: string) => ({ inputs: { length: line.length }, labels: parseInt(line) });
  const options = { parse: own, batchSize: 16, seed: 2 };
  const dataset = await lineDataset(path, { ...options, bucketByLength: true });
  const epochs = await Promise.all([0, 1].map((epoch) => collect(dataset.batches(epoch))));
  const numbers = epochs.map((batches) => batches.flatMap(({ labels }) => [...labels.values]));
  expect(numbers[0]).not.toEqual(numbers[1]);
  for (const order of numbers) {
    expect([...order].sort((a, b) => a - b)).toEqual(lines.map((_, i) => i));
  }
  const spread = (batch: Batch): number =>
    Math.max(...batch.inputs.length.values) - Math.min(...batch.inputs.length.values);
  const mean = (all: Batch[]) => all.reduce((sum, batch) => sum + spread(batch), 0) / all.length;
  expect(mean(epochs[0])).toBeLessThan(40);
  const mixed = await lineDataset(path, options);
  expect(mean(await collect(mixed.batches()))).toBeGreaterThan(600);
  expect(mixed.fingerprint).not.toBe(dataset.fingerprint);
});

test('bad calls are refused', async () => {
  const empty = join(folder, 'empty');
  await writeFile(empty, '\n\n');
  await expect(lineDataset(empty, { parse })).rejects.toThrow('the file must have lines, got none');
  await expect(lineDataset(join(folder, 'none'), { parse })).rejects.toThrow('ENOENT');
  await expect(lineDataset(empty, {} as never)).rejects.toThrow('lineDataset: parse must make');
  await expect(lineDataset(empty, { parse, batch: 1 } as never)).rejects.toThrow(
    "unknown option 'batch'",
  );
});
