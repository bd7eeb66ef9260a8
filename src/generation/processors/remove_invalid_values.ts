const LARGEST = 3.4028234663852886e38; // of float32

/**
 * Replaces NaN by 0 and infinities by the largest and smallest float32 (transformers' `InfNanRemoveLogitsProcessor`).
 * So what processors before it have removed can come again when nothing else is left.
 *
 * @param scores [V]
 * @returns New scores [V].
 */
export function removeInvalidValues(scores: Float32Array): Float32Array {
  return scores.map((score) =>
    Number.isNaN(score) ? 0 : Math.max(-LARGEST, Math.min(LARGEST, score)),
  );
}
