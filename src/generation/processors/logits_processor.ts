/** The sequence that a row of logits continues. */
export interface Sequence {
  /** Its ids so far, prompt included, padding not. */
  readonly ids: readonly number[];
  /** How many of them are the prompt. */
  readonly promptLength: number;
}

/**
 * Changes the scores of the next token. A pure function: it returns a new row [V], or the one it was given when there
 * is nothing to change. A removed token has the score −Infinity.
 */
export type LogitsProcessor = (scores: Float32Array, sequence: Sequence) => Float32Array;
