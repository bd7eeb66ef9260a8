/** What every tokenizer can do: text to ids and back. */

/** Plain JSON that {@link fromJSON} turns back into an equal tokenizer. */
export interface TokenizerJSON {
  /** Which tokenizer it is: `characters`, `bytes` or `huggingface`. */
  type: string;
  /** Version of the format, 1. */
  version: number;
  /** Special tokens in the order of their ids. */
  special: string[];
  /** `characters` only: the characters in the order of their ids. */
  characters?: string;
  /** `characters` only: the token that stands for characters outside the vocabulary; null where there is none. */
  unknown?: string | null;
  /** `huggingface` only: what its `tokenizer.json` holds. */
  tokenizer?: object;
  /** `huggingface` only: what its `tokenizer_config.json` holds. */
  config?: object;
}

/** How a text becomes ids. */
export interface EncodeOptions {
  /**
   * Whether special tokens written out in the text become their ids. False by default: text that a stranger typed
   * cannot smuggle in an end token.
   */
  allowSpecial?: boolean;
}

/** How ids become text. */
export interface DecodeOptions {
  /** Whether special tokens are left out of the text. True by default. */
  skipSpecial?: boolean;
}

/** Turns ids into text one at a time, for streaming. */
export interface StreamDecoder {
  /**
   * Takes the next id.
   *
   * @param id Token id.
   * @returns The text that is complete now: never half a character, empty while one is under way.
   */
  push(id: number): string;
  /**
   * Ends the text.
   *
   * @returns U+FFFD when a character was left incomplete, else the empty string. The decoder can be used again.
   */
  flush(): string;
}

/** Turns text into ids and ids into text. Ids are 0 … size−1. */
export interface Tokenizer {
  /** Number of ids: the vocabulary size V of a model for this tokenizer. */
  readonly size: number;
  /** Special tokens: structure such as `<pad>` and `<end>`, not text. */
  readonly special: readonly string[];
  /**
   * Turns text into ids.
   *
   * @param text Any string.
   * @param options `allowSpecial`: special tokens in the text become their ids, false by default.
   * @returns One id a token; no start or end token is added.
   */
  encode(text: string, options?: EncodeOptions): number[];
  /**
   * Turns ids into text.
   *
   * @param ids Array or typed array of ids, not a tensor (`await tensor.data()` makes one).
   * @param options `skipSpecial`: special tokens are left out, true by default.
   * @returns The text.
   */
  decode(ids: ArrayLike<number>, options?: DecodeOptions): string;
  /**
   * A decoder for ids that come one at a time.
   *
   * @param options As for `decode`.
   * @returns The decoder; what it yields, joined, is what `decode` returns.
   */
  createDecoder(options?: DecodeOptions): StreamDecoder;
  /**
   * Looks a token up.
   *
   * @param token A token, special or not.
   * @returns Its id.
   * @throws Error when there is no such token.
   */
  idOf(token: string): number;
  /**
   * The token behind an id.
   *
   * @param id Token id.
   * @returns The token as text; for a byte outside ASCII its number, `<0xC3>`.
   */
  tokenOf(id: number): string;
  /**
   * The tokenizer as plain JSON.
   *
   * @returns What {@link fromJSON} takes; also what `JSON.stringify(tokenizer)` writes.
   */
  toJSON(): TokenizerJSON;
}
