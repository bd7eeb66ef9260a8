/**
 * Fewest insertions, deletions and replacements that make one sequence of another (Levenshtein, 1966).
 *
 * @param a One sequence.
 * @param b The other.
 * @returns Their number.
 */
export function editDistance(a: readonly string[], b: readonly string[]): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j); // from nothing of a to j of b
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}

/** Mistakes in many words. */
export interface ErrorRate {
  /** Mistakes for each phoneme of the dictionary. */
  phonemes: number;
  /** Part of the words with a mistake. */
  words: number;
}

/**
 * How many mistakes were made; of several ways to say a word, the one that is closest counts.
 *
 * @param said What was said, for each word.
 * @param allowed The ways to say it, for each word.
 * @returns The rates.
 */
export function errorRate(
  said: readonly (readonly string[])[],
  allowed: readonly (readonly (readonly string[])[])[],
): ErrorRate {
  let mistakes = 0;
  let length = 0;
  let wrong = 0;
  said.forEach((phonemes, i) => {
    const ways = allowed[i].map((way) => ({ way, distance: editDistance(phonemes, way) }));
    const best = ways.reduce((a, b) => (b.distance < a.distance ? b : a));
    mistakes += best.distance;
    length += best.way.length;
    if (best.distance > 0) wrong++;
  });
  return { phonemes: mistakes / Math.max(1, length), words: wrong / Math.max(1, said.length) };
}
