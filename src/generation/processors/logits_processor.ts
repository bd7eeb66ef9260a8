/** The sequence that a row of scores continues. */
export interface Sequence {
  /** Its ids so far, prompt included, padding not. For an encoder–decoder model: those of the decoder. */
  readonly ids: readonly number[];
  /** How many of them are the prompt. */
  readonly promptLength: number;
  /** How long it may become, prompt included; Infinity when nothing limits it. */
  readonly maxLength: number;
  /** What it was generated from: its prompt; for an encoder–decoder model the ids that the encoder read. */
  readonly sourceIds: readonly number[];
  /** Number of its prompt, from 0. */
  readonly promptIndex: number;
}

/**
 * Changes the scores of the next token. A pure function: it returns a new row [V], or the one it was given when there
 * is nothing to change. A removed token has the score −Infinity.
 *
 * With beams the scores are logarithms of probabilities, otherwise the model's logits.
 */
export type LogitsProcessor = (scores: Float32Array, sequence: Sequence) => Float32Array;
