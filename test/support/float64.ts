/** The formulas in double precision, to say what float32 ought to give. */

/**
 * Layer normalisation of one row without ε.
 *
 * @param row Numbers, not all equal.
 * @returns (x − μ)/σ
 */
export function normalRow(row: readonly number[]): number[] {
  const mean = row.reduce((a, b) => a + b, 0) / row.length;
  const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / row.length;
  return row.map((x) => (x - mean) / Math.sqrt(variance));
}
