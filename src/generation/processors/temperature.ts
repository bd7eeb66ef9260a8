/**
 * Divides all scores by a temperature (transformers' `TemperatureLogitsWarper`): below 1 sharpens the distribution,
 * above 1 flattens it.
 *
 * @param scores [V]
 * @param temperature Above 0.
 * @returns New scores [V].
 */
export function temperature(scores: Float32Array, temperature: number): Float32Array {
  return scores.map((score) => score / temperature);
}
