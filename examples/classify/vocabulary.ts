/** Padding, and every word that is not in the vocabulary. */
export const PADDING = 0;
export const UNKNOWN = 1;

/** Words by number. */
export interface Vocabulary {
  /** Number of words, padding and the unknown one included. */
  size: number;
  /** Numbers of words. */
  encode(words: readonly string[]): number[];
}

/**
 * Numbers the words that occur in the most texts.
 *
 * @param texts The words of each text.
 * @param size Most words to keep, padding and the unknown one included.
 * @returns The vocabulary.
 */
export function countWords(texts: readonly (readonly string[])[], size: number): Vocabulary {
  const counts = new Map<string, number>();
  for (const words of texts) {
    for (const word of new Set(words)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const common = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const kept = common.slice(0, size - 2).map(([word]) => word);
  const ids = new Map(kept.map((word, i) => [word, i + 2]));
  return {
    size: kept.length + 2,
    encode: (words) => words.map((word) => ids.get(word) ?? UNKNOWN),
  };
}
