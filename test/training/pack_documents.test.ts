import * as fc from 'fast-check';
import { packDocuments } from '../../src/training/pack_documents.js';

test('the longest first, each into the fullest row that has room', () => {
  expect(packDocuments([2, 5, 3, 4, 1], 7)).toEqual([[1, 0], [3, 2], [4]]);
  expect(packDocuments([7, 7], 7)).toEqual([[0], [1]]);
});

test('every document is in one row, no row is over-full, and no two rows would go into one', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 13 }).chain((capacity) =>
        fc.record({
          capacity: fc.constant(capacity),
          lengths: fc.array(fc.integer({ min: 1, max: capacity }), { minLength: 1, maxLength: 40 }),
        }),
      ),
      ({ capacity, lengths }) => {
        const rows = packDocuments(lengths, capacity);
        expect(rows.flat().sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
        const full = rows.map((row) => row.reduce((sum, i) => sum + lengths[i], 0));
        full.forEach((sum) => expect(sum).toBeLessThanOrEqual(capacity));
        const [least, next = Infinity] = [...full].sort((a, b) => a - b);
        expect(least + next).toBeGreaterThan(capacity);
      },
    ),
  );
});
