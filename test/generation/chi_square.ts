/**
 * Pearson's statistic Σ (count − expected)² / expected.
 *
 * @param counts How often each outcome occurred.
 * @param probabilities What each should have.
 */
export function chiSquare(counts: number[], probabilities: number[]): number {
  const total = counts.reduce((a, b) => a + b, 0);
  return counts.reduce((sum, count, i) => {
    const expected = total * probabilities[i];
    return sum + (count - expected) ** 2 / expected;
  }, 0);
}
