import * as fc from 'fast-check';
import { editDistance, errorRate } from '../../examples/translate/edit_distance.js';

const letters = (text: string): string[] => Array.from(text);

test.each([
  ['kitten', 'sitting', 3],
  ['', 'abc', 3],
  ['abc', '', 3],
  ['abc', 'abc', 0],
  ['abc', 'bc', 1],
  ['ab', 'ba', 2],
])('from %j to %j in %i', (a, b, distance) => {
  expect(editDistance(letters(a), letters(b))).toBe(distance);
});

test('is a metric', () => {
  const word = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 7 });
  fc.assert(
    fc.property(word, word, word, (a, b, c) => {
      const d = editDistance(a, b);
      expect(editDistance(b, a)).toBe(d);
      expect(d === 0).toBe(a.join() === b.join());
      expect(d).toBeLessThanOrEqual(editDistance(a, c) + editDistance(c, b));
      expect(d).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
    }),
  );
});

test('of several ways to say a word the closest counts', () => {
  const ways = [[letters('abc'), letters('xyzw')], [letters('q')]];
  expect(errorRate([letters('xyz'), letters('q')], ways)).toEqual({
    phonemes: 1 / 5,
    words: 1 / 2,
  });
  expect(errorRate([], [])).toEqual({ phonemes: 0, words: 0 });
});
