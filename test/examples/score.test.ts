import { scoreOf } from '../../examples/classify/score.js';
import { countWords, PADDING, UNKNOWN } from '../../examples/classify/vocabulary.js';

test('precision, recall and F1 on paper', () => {
  const truth = [true, true, true, false, false, false, false];
  const said = [true, true, false, true, false, false, false];
  const { precision, recall, f1, accuracy } = scoreOf(said, truth);
  expect([precision, recall, accuracy]).toEqual([2 / 3, 2 / 3, 5 / 7]);
  expect(f1).toBeCloseTo(2 / 3, 12);
  expect(scoreOf([false], [true])).toEqual({ precision: 0, recall: 0, f1: 0, accuracy: 0 });
});

test('the words of the most texts are kept, a word twice in a text counts once', () => {
  const vocabulary = countWords([['b', 'a'], ['b', 'c', 'c', 'c'], ['a']], 4);
  expect(vocabulary.size).toBe(4);
  const ids = vocabulary.encode(['a', 'b', 'c']);
  expect(ids).toEqual([2, 3, UNKNOWN]);
  expect(ids).not.toContain(PADDING);
});
