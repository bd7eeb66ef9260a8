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

/** Right numbers, and how far a float32 computation may be from each. */
export interface Truth {
  values: Float64Array;
  bounds: Float64Array;
}

/** Half a unit in the last place of float32, relative. */
const ROUNDING = 2 ** -24;

/**
 * Normalisation of the rows of a matrix, x̂ = (x − μ)·r with r = 1/√(σ² + ε), or, not centred, x·r with
 * r = 1/√(mean(x²) + ε); y = x̂·γ + β; and its gradients. A bound is 32 roundings of the largest terms, each made larger by
 * what it does to x̂ when numbers that lie close together are taken from each other: up to max|x|·r.
 *
 * @param x [M, D]
 * @param dy [M, D]
 * @param parameters γ and β, [D] each, where there are any; ε; whether the mean is taken away.
 * @returns y, dx, dγ, dβ
 */
export function normalised(
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
  parameters: { D: number; gamma?: ArrayLike<number>; beta?: ArrayLike<number>; epsilon: number; centred: boolean }, // prettier-ignore
): Record<'y' | 'dx' | 'dGamma' | 'dBeta', Truth> {
  const { D, gamma, beta, epsilon, centred } = parameters;
  const truth = (size: number): Truth => ({
    values: new Float64Array(size),
    bounds: new Float64Array(size),
  });
  const [y, dx, dGamma, dBeta] = [truth(x.length), truth(x.length), truth(D), truth(D)];
  const M = x.length / D;
  const mean = (f: (j: number) => number): number => {
    let sum = 0;
    for (let j = 0; j < D; j++) sum += f(j);
    return sum / D;
  };
  const unit = 32 * ROUNDING;
  for (let row = 0; row < M; row++) {
    const at = (j: number): number => row * D + j;
    const centre = centred ? mean((j) => x[at(j)]) : 0;
    const r = 1 / Math.sqrt(mean((j) => (x[at(j)] - centre) ** 2) + epsilon);
    const normal = (j: number): number => (x[at(j)] - centre) * r;
    const slope = (j: number): number => dy[at(j)] * (gamma ? gamma[j] : 1);
    const meanSlope = centred ? mean(slope) : 0;
    const along = mean((j) => slope(j) * normal(j));
    let [most, steepest, farthest] = [0, 0, 0];
    for (let j = 0; j < D; j++) {
      most = Math.max(most, Math.abs(x[at(j)]) * r);
      steepest = Math.max(steepest, Math.abs(slope(j)));
      farthest = Math.max(farthest, Math.abs(normal(j)));
    }
    const error = unit * (1 + most) * (1 + farthest); // of x̂
    for (let j = 0; j < D; j++) {
      const [g, b] = [gamma ? gamma[j] : 1, beta ? beta[j] : 0];
      y.values[at(j)] = normal(j) * g + b;
      y.bounds[at(j)] = error * Math.abs(g) + unit * Math.abs(b);
      dx.values[at(j)] = r * (slope(j) - meanSlope - normal(j) * along);
      dx.bounds[at(j)] = r * steepest * (1 + farthest) * error;
      dGamma.values[j] += dy[at(j)] * normal(j);
      dGamma.bounds[j] += Math.abs(dy[at(j)]) * (error + unit * Math.abs(normal(j)));
      dBeta.values[j] += dy[at(j)];
      dBeta.bounds[j] += Math.abs(dy[at(j)]) * unit;
    }
  }
  return { y, dx, dGamma, dBeta };
}
