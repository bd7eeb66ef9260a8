import { BatchSource } from '../../src/training/batch_source.js';
import type { Batch, Dataset } from '../../src/training/dataset.js';

const batch = (epoch: number, number: number): Batch => ({
  inputs: {},
  labels: { values: Int32Array.of(epoch, number), shape: [2], dtype: 'int32' },
});
const names = (batches: Batch[]): string[] => batches.map(({ labels }) => labels.values.join('.'));

/** Three batches an epoch, at once or awaited, with or without saying so; counts what is open. */
function dataset(awaited: boolean, known: boolean): Dataset & { open: number } {
  const source = {
    ...(known && { batchesPerEpoch: 3 }),
    open: 0,
    batches(epoch: number, from = 0): Iterable<Batch> | AsyncIterable<Batch> {
      const sync = function* (): Generator<Batch> {
        source.open++;
        try {
          for (let i = from; i < 3; i++) yield batch(epoch, i);
        } finally {
          source.open--;
        }
      };
      return awaited
        ? (async function* () {
            yield* sync();
          })()
        : sync();
    },
  };
  return source;
}

describe.each([
  [false, true],
  [false, false],
  [true, true],
  [true, false],
])('awaited: %s, number known: %s', (awaited, known) => {
  test('goes through the epochs, and always knows the place of the next batch', async () => {
    const from = dataset(awaited, known);
    const source = new BatchSource(from, 2, { epoch: 0, batch: 0 });
    const places = [];
    for (;;) {
      const taken = await source.take(1);
      if (taken.length === 0) break;
      places.push([names(taken)[0], source.place, source.finished]);
    }
    expect(places).toEqual([
      ['0.0', { epoch: 0, batch: 1 }, false],
      ['0.1', { epoch: 0, batch: 2 }, false],
      ['0.2', { epoch: 1, batch: 0 }, false],
      ['1.0', { epoch: 1, batch: 1 }, false],
      ['1.1', { epoch: 1, batch: 2 }, false],
      ['1.2', { epoch: 2, batch: 0 }, true],
    ]);
    expect(from.open).toBe(0);
  });

  test('begins anywhere, takes across epochs, and closes what it opened', async () => {
    const from = dataset(awaited, known);
    const source = new BatchSource(from, Infinity, { epoch: 4, batch: 2 });
    expect(names(await source.take(3))).toEqual(['4.2', '5.0', '5.1']);
    expect(source.place).toEqual({ epoch: 5, batch: 2 });
    await source.close();
    expect(from.open).toBe(0);
  });
});

test('an empty epoch, and a wrong number of batches, are errors', async () => {
  const empty = new BatchSource({ batches: () => [] }, Infinity, { epoch: 0, batch: 0 });
  await expect(empty.take(1)).rejects.toThrow(
    'fit: the dataset must yield batches in every epoch, got none in epoch 0.',
  );
  const short = { ...dataset(false, true), batchesPerEpoch: 5 };
  await expect(new BatchSource(short, 1, { epoch: 0, batch: 0 }).take(9)).rejects.toThrow(
    'fit: the dataset must yield batchesPerEpoch=5 batches an epoch, got 3 in epoch 0.',
  );
});
