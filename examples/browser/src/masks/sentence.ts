/** A sentence as a model gets it: words are tokens, and padding makes it as long as the batch is. */

/** The id of padding. */
export const PAD_ID = 0;
/** How a padding token is written. */
export const PAD_WORD = 'PAD';
/** Longest sequence that the page draws. */
export const MOST_TOKENS = 12;
/** V, how many ids there are. */
export const VOCABULARY_SIZE = 1021;

/** On which side padding goes: behind the words, or before them as when generating. */
export type PaddingSide = 'right' | 'left';

/** Tokens of one sentence, T of them. */
export interface Sequence {
  /** What is written at each place. */
  words: string[];
  /** Their ids. */
  ids: number[];
  /** Whether a place is padding. */
  isPadding: boolean[];
}

const WHITE = /^\s*$/;
const WITHOUT_SEGMENTER = /\p{Script=Han}|[\p{L}\p{M}\p{N}’'-]+|[^\s]/gu;

let segmenter: Intl.Segmenter | undefined;

/**
 * Splits a text into words and punctuation. Chinese and Japanese, which write no spaces, are split by the dictionary of
 * the browser; where it has none, into characters.
 *
 * @param text What the user typed.
 * @returns At most `MOST_TOKENS` words.
 */
export function splitWords(text: string): string[] {
  let words: string[];
  if (typeof Intl !== 'undefined' && 'Segmenter' in Intl) {
    segmenter ??= new Intl.Segmenter('zh', { granularity: 'word' });
    words = Array.from(segmenter.segment(text), ({ segment }) => segment);
  } else words = text.match(WITHOUT_SEGMENTER) ?? [];
  return words.filter((word) => !WHITE.test(word)).slice(0, MOST_TOKENS);
}

/**
 * Numbers words: the same word (in capitals or not) always gets the same number, different words different ones.
 *
 * @param words Any words.
 * @returns Ids between 1 and `VOCABULARY_SIZE` − 1.
 */
export function wordIds(words: readonly string[]): number[] {
  const ids = new Map<string, number>();
  const taken = new Set<number>();
  return words.map((written) => {
    const word = written.toLowerCase();
    let id = ids.get(word);
    if (id === undefined) {
      id = 1 + (hash(word) % (VOCABULARY_SIZE - 1));
      while (taken.has(id)) id = 1 + (id % (VOCABULARY_SIZE - 1));
      ids.set(word, id);
      taken.add(id);
    }
    return id;
  });
}

/** FNV-1a over UTF-16 code units. */
function hash(word: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < word.length; i++)
    value = Math.imul(value ^ word.charCodeAt(i), 0x01000193) >>> 0;
  return value;
}

/**
 * Fills a sentence up with padding.
 *
 * @param words Words of the sentence.
 * @param length Length of the batch; a sentence that is longer keeps its length.
 * @param side Where padding goes.
 * @returns The sequence.
 */
export function padded(words: readonly string[], length: number, side: PaddingSide): Sequence {
  const missing = Math.max(0, length - words.length);
  const join = <Item>(items: readonly Item[], filler: Item): Item[] => {
    const padding = Array.from({ length: missing }, () => filler);
    return side === 'right' ? [...items, ...padding] : [...padding, ...items];
  };
  return {
    words: join(words, PAD_WORD),
    ids: join(wordIds(words), PAD_ID),
    isPadding: join(
      words.map(() => false),
      true,
    ),
  };
}

/**
 * The same sequence with another word in one place. What is padding stays padding: only its content changes.
 *
 * @param sequence Where to put the word.
 * @param place Index of the token.
 * @param word What to put there.
 * @returns A new sequence.
 */
export function withWord(sequence: Sequence, place: number, word: string): Sequence {
  const all = wordIds([...sequence.words.filter((_, i) => !sequence.isPadding[i]), word]);
  return {
    ...sequence,
    words: sequence.words.map((old, i) => (i === place ? word : old)),
    ids: sequence.ids.map((old, i) => (i === place ? all[all.length - 1] : old)),
  };
}
