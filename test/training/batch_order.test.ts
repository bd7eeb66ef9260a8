import * as fc from 'fast-check';
import { batchOrder, permutation } from '../../src/training/batch_order.js';

const batchesOf = (order: Uint32Array, size: number): number[][] =>
  Array.from({ length: Math.ceil(order.length / size) }, (_, i) =>
    Array.from(order.subarray(i * size, (i + 1) * size)),
  );

test('an order holds every row once, and follows from seed and epoch', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 700 }),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(),
      fc.nat({ max: 9 }),
      fc.boolean(),
      (count, batchSize, seed, epoch, bucketed) => {
        const lengthOf = bucketed ? (row: number): number => (row * 7919) % 31 : undefined;
        const options = { batchSize, seed, epoch, shuffle: true, lengthOf };
        const order = batchOrder(count, options);
        expect(Array.from(order).sort((a, b) => a - b)).toEqual(
          Array.from({ length: count }, (_, i) => i),
        );
        expect(batchOrder(count, options)).toEqual(order);
      },
    ),
    { numRuns: 50 },
  );
  const at = (seed: number, epoch: number): string =>
    String(
      batchOrder(50, { batchSize: 4, seed, epoch, shuffle: true, lengthOf: (row) => row % 7 }),
    );
  expect(at(1, 0)).not.toBe(at(1, 1));
  expect(at(1, 0)).not.toBe(at(2, 0));
});

test('with lengths, batches hold rows of like length, are mixed, and little is filled up', () => {
  const length = (row: number): number => 1 + ((row * 7919) % 101);
  const options = { batchSize: 10, seed: 3, epoch: 1, shuffle: true };
  const filled = (order: Uint32Array): number =>
    batchesOf(order, 10)
      .map((batch) => batch.map(length))
      .reduce((sum, rows) => sum + rows.length * Math.max(...rows), 0);
  const order = batchOrder(1003, { ...options, lengthOf: length });
  const real = Array.from({ length: 1003 }, (_, row) => length(row)).reduce((a, b) => a + b, 0);
  expect(filled(order)).toBeLessThan(1.1 * real);
  expect(filled(batchOrder(1003, options))).toBeGreaterThan(1.5 * real);
  const first = batchesOf(order, 10).map((batch) => length(batch[0]));
  expect(first).not.toEqual([...first].sort((a, b) => a - b));
  expect(batchesOf(order, 10).at(-1)).toHaveLength(3); // a batch that is not full stays last
});

test('unshuffled, rows come as they are, or from the shortest to the longest', () => {
  const options = { batchSize: 2, seed: 0, epoch: 5, shuffle: false };
  expect(Array.from(batchOrder(4, options))).toEqual([0, 1, 2, 3]);
  const lengths = [5, 1, 3, 1];
  expect(Array.from(batchOrder(4, { ...options, lengthOf: (row) => lengths[row] }))).toEqual([
    1, 3, 2, 0,
  ]);
});

test('all six permutations of three come up about equally often', () => {
  const counts = new Map<string, number>();
  for (let call = 0; call < 600; call++) {
    const key = permutation(3, 1, call).join('');
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  for (const count of counts.values()) expect(Math.abs(count - 100)).toBeLessThan(45);
});
