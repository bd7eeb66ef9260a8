/** The baseline to beat: a model that counts which token follows which. */

/** A bigram model that has been fitted. */
export interface Bigram {
  /** What is added to every count. */
  k: number;
  /**
   * Mean cross entropy of every token but the first of each sequence, given the one before it.
   *
   * @param sequences Token ids.
   * @returns The mean in nats, and over how many tokens.
   */
  evaluate(sequences: readonly ArrayLike<number>[]): { loss: number; tokens: number };
}

/** Candidates for k. */
const CANDIDATES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];

/**
 * Counts pairs of neighbours: p(b | a) = (count(a, b) + k) / (count(a) + k·outcomes).
 *
 * k is the candidate under which the training pairs are most probable when each is left out of the counts that predict
 * it; the sequences to measure on have no say in it.
 *
 * @param sequences Token ids to count in.
 * @param outcomes Number of different tokens that can follow another.
 * @returns The model.
 */
export function fitBigram(sequences: readonly ArrayLike<number>[], outcomes: number): Bigram {
  const pairs = new Map<number, Map<number, number>>();
  const totals = new Map<number, number>();
  for (const [a, b] of neighbours(sequences)) {
    const row = pairs.get(a) ?? new Map<number, number>();
    pairs.set(a, row.set(b, (row.get(b) ?? 0) + 1));
    totals.set(a, (totals.get(a) ?? 0) + 1);
  }
  const count = (a: number, b: number): number => pairs.get(a)?.get(b) ?? 0;
  const total = (a: number): number => totals.get(a) ?? 0;

  const leaveOneOut = (k: number): number => {
    let sum = 0;
    for (const [a, row] of pairs) {
      for (const n of row.values()) {
        sum -= n * Math.log((n - 1 + k) / (total(a) - 1 + k * outcomes));
      }
    }
    return sum;
  };
  const k = CANDIDATES.reduce((best, other) =>
    leaveOneOut(other) < leaveOneOut(best) ? other : best,
  );

  return {
    k,
    evaluate(measured) {
      let sum = 0;
      let tokens = 0;
      for (const [a, b] of neighbours(measured)) {
        sum -= Math.log((count(a, b) + k) / (total(a) + k * outcomes));
        tokens++;
      }
      return { loss: sum / tokens, tokens };
    },
  };
}

function* neighbours(sequences: readonly ArrayLike<number>[]): Generator<[number, number]> {
  for (const ids of sequences) {
    for (let i = 1; i < ids.length; i++) yield [ids[i - 1], ids[i]];
  }
}
