import { splitDocuments, splitText } from '../../src/training/split.js';

test('documents are reduced to different ones before they are split', () => {
  const names = Array.from({ length: 40 }, (_, i) => `name ${i % 20}`);
  const { train, validation } = splitDocuments(names, { validation: 0.25, seed: 3 });
  expect(validation).toHaveLength(5);
  expect(new Set([...train, ...validation]).size).toBe(20);
  expect(train).toHaveLength(15);
  expect(splitDocuments(names, { validation: 0.25, seed: 3 }).validation).toEqual(validation);
  expect(splitDocuments(names, { validation: 0.25, seed: 4 }).validation).not.toEqual(validation);
});

test('ids are compared as a whole', () => {
  const { train, validation } = splitDocuments([[1, 2], [1, 2], [12]]);
  expect([...train, ...validation].sort()).toEqual([[1, 2], [12]]);
});

test('a text is cut near its end, never inside a character', () => {
  expect(splitText('abcdefghij', { validation: 0.3 })).toEqual({
    train: 'abcdefg',
    validation: 'hij',
  });
  expect(splitText([1, 2, 3, 4], { validation: 0.5 })).toEqual({
    train: [1, 2],
    validation: [3, 4],
  });
  expect(splitText('a😀b', { validation: 0.5 })).toEqual({ train: 'a😀', validation: 'b' });
});

test('bad options are refused', () => {
  expect(() => splitDocuments(['a', 'a'])).toThrow(
    'splitDocuments: there must be at least 2 different documents, got 1.',
  );
  expect(() => splitText('abc', { validation: 1 })).toThrow(
    'splitText: validation must be above 0 and below 1',
  );
  expect(() => splitText('abc', { seed: 1 } as never)).toThrow("splitText: unknown option 'seed'");
});
