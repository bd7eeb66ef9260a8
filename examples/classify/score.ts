/** How well a class was told from another. */
export interface Score {
  /** Part of those that were called spam and are. */
  precision: number;
  /** Part of the spam that was called so. */
  recall: number;
  /** Their harmonic mean, 2·precision·recall / (precision + recall). */
  f1: number;
  /** Part that was called right, spam or not. */
  accuracy: number;
}

/**
 * Compares what was said with what is so.
 *
 * @param said For each mail, whether it was called spam.
 * @param truth For each mail, whether it is.
 * @returns The score; 0 where it is not defined.
 */
export function scoreOf(said: readonly boolean[], truth: readonly boolean[]): Score {
  const count = (a: boolean, b: boolean): number =>
    said.filter((value, i) => value === a && truth[i] === b).length;
  const found = count(true, true);
  const precision = found / Math.max(1, found + count(true, false));
  const recall = found / Math.max(1, found + count(false, true));
  return {
    precision,
    recall,
    f1: found === 0 ? 0 : (2 * precision * recall) / (precision + recall),
    accuracy: (found + count(false, false)) / Math.max(1, truth.length),
  };
}
