import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Batch } from '../../src/training/dataset.js';
import { textDataset } from '../../src/training/text_dataset.js';
import { tokenFileDataset } from '../../src/training/token_file_dataset.js';

let folder: string;
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'tokens-'))));
afterAll(() => rm(folder, { recursive: true }));

const collect = async (batches: AsyncIterable<Batch>): Promise<Batch[]> => {
  const all: Batch[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
};

test.each([
  ['uint8' as const, Uint8Array, 251],
  ['uint16' as const, Uint16Array, 65_521],
  ['uint32' as const, Uint32Array, 100_003],
])('%s: the batches of textDataset, from any batch on', async (dtype, Ids, size) => {
  const ids = Array.from({ length: 311 }, (_, i) => (i * 7919) % size);
  const path = join(folder, dtype);
  await writeFile(path, Ids.from(ids));
  const cut = { sequenceLength: 11, batchSize: 4, stride: 7, seed: 3 };
  for (const shuffle of [true, false]) {
    const text = textDataset(ids, { ...cut, shuffle });
    const file = await tokenFileDataset(path, { ...cut, shuffle, dtype });
    expect([file.tokens, file.batchesPerEpoch]).toEqual([311, text.batchesPerEpoch]);
    for (const epoch of [0, 2]) {
      expect(await collect(file.batches(epoch))).toEqual([...text.batches(epoch)]);
    }
    expect(await collect(file.batches(1, 3))).toEqual([...text.batches(1, 3)]);
  }
});

test('bad calls are refused', async () => {
  const path = join(folder, 'odd');
  await writeFile(path, Uint8Array.of(1, 2, 3));
  const call = (options: object) =>
    expect(tokenFileDataset(path, { sequenceLength: 2, ...options })).rejects;
  await call({}).toThrow(
    "tokenFileDataset: the file must have 2 bytes a token (dtype 'uint16'), got 3 bytes.",
  );
  await call({ dtype: 'uint8', sequenceLength: 3 }).toThrow(
    'the file must have at least sequenceLength + 1 tokens, got 3 tokens and sequenceLength=3.',
  );
  await call({ dtype: 'int8' }).toThrow("dtype must be 'uint8', 'uint16' or 'uint32'");
});
