import {
  MOST_TOKENS,
  PAD_ID,
  PAD_WORD,
  padded,
  splitWords,
  VOCABULARY_SIZE,
  withWord,
  wordIds,
} from '../../../../examples/browser/src/masks/sentence.js';

describe('splitWords', () => {
  test('spaces go, punctuation stays', () => {
    expect(splitWords('  Don’t stop,\tplease! ')).toEqual(['Don’t', 'stop', ',', 'please', '!']);
    expect(splitWords(' \n')).toEqual([]);
  });

  test('Chinese is split into words', () => {
    expect(splitWords('月亮看猫，猫看月亮')).toEqual([
      '月亮',
      '看',
      '猫',
      '，',
      '猫',
      '看',
      '月亮',
    ]);
  });

  test('not more words than the page can draw', () => {
    const text = Array.from({ length: 20 }, (_, i) => `w${i}`).join(' ');
    expect(splitWords(text)).toEqual(text.split(' ').slice(0, MOST_TOKENS));
  });

  test('without a segmenter: words, and one token for each Chinese character', () => {
    const { Segmenter } = Intl;
    try {
      // A browser that has none.
      delete (Intl as { Segmenter?: unknown }).Segmenter;
      expect(splitWords('Don’t stop! 月亮')).toEqual(['Don’t', 'stop', '!', '月', '亮']);
    } finally {
      Object.assign(Intl, { Segmenter });
    }
  });
});

describe('wordIds', () => {
  test('the same word has the same id, whatever its capitals and neighbours; no id is that of padding', () => {
    const [The, cat, the, mat] = wordIds(['The', 'cat', 'the', 'mat']);
    expect(the).toBe(The);
    expect(wordIds(['mat', 'the'])).toEqual([mat, the]);
    expect(new Set([the, cat, mat]).size).toBe(3);
    for (const id of [the, cat, mat]) expect(id).toBeGreaterThan(PAD_ID);
  });

  test('different words differ even where their hashes meet', () => {
    const words = Array.from({ length: 300 }, (_, i) => `word${i}`); // of 1,020 ids: many meet
    const ids = wordIds(words);
    expect(new Set(ids).size).toBe(300);
    for (const id of ids) expect(id).toBeLessThan(VOCABULARY_SIZE);
  });
});

test('padding goes to one side or the other, and a long sentence gets none', () => {
  const [a, b] = wordIds(['a', 'b']);
  expect(padded(['a', 'b'], 4, 'right')).toEqual({
    words: ['a', 'b', PAD_WORD, PAD_WORD],
    ids: [a, b, PAD_ID, PAD_ID],
    isPadding: [false, false, true, true],
  });
  expect(padded(['a', 'b'], 3, 'left')).toEqual({
    words: [PAD_WORD, 'a', 'b'],
    ids: [PAD_ID, a, b],
    isPadding: [true, false, false],
  });
  expect(padded(['a', 'b'], 1, 'left').words).toEqual(['a', 'b']);
});

test('another word in one place: only its content changes, padding stays padding', () => {
  const sequence = padded(['a', 'b'], 3, 'right');
  const changed = withWord(sequence, 2, 'moon');
  expect(changed.words).toEqual(['a', 'b', 'moon']);
  expect(changed.ids.slice(0, 2)).toEqual(sequence.ids.slice(0, 2));
  expect(changed.ids[2]).toBe(wordIds(['moon'])[0]);
  expect(changed.isPadding).toEqual(sequence.isPadding);
  expect(sequence.words[2]).toBe(PAD_WORD);
});
