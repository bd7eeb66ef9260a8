/** Tokenizers of Hugging Face: whatever a `tokenizer.json` describes, by way of `@huggingface/tokenizers`. */
import { assert, assertKnownOptions, describe } from '../util/errors.js';
import { checkId, checkIds, checkText } from './arguments.js';
import type {
  DecodeOptions,
  EncodeOptions,
  StreamDecoder,
  Tokenizer,
  TokenizerJSON,
} from './tokenizer.js';

/** The parts of a `tokenizer.json` that this package looks at. */
export interface HuggingFaceJSON extends Record<string, unknown> {
  /** Its model, with the vocabulary: an object token → id, or for Unigram an array of [token, score]. */
  model: Record<string, unknown> & {
    vocab?: Record<string, number> | [string, number][];
    unk_token?: string | null;
    unk_id?: number | null;
  };
  /** Tokens added to it. */
  added_tokens?: { id: number; content: string; special?: boolean }[];
}

/** What is used of the class `Tokenizer` of `@huggingface/tokenizers` 0.2. */
export interface PeerTokenizer {
  /** Text → ids. */
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] };
  /** Ids → text; throws when there are none. */
  decode(
    ids: number[],
    options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean },
  ): string;
  /** The id of a token. */
  token_to_id(token: string): number | undefined;
  /** The token of an id. */
  id_to_token(id: number): string | undefined;
  /** All tokens and their ids. */
  get_vocab(withAddedTokens: boolean): Map<string | undefined, number>;
}

/** The class itself. */
export type PeerClass = new (json: object, config: object) => PeerTokenizer;

/**
 * A tokenizer of Hugging Face; made by `load`. It gives the ids that `encode(text, add_special_tokens=False)` gives in
 * Python, but for text that spells a special token out: that is text, unless `allowSpecial` is set.
 */
export class HuggingFaceTokenizer implements Tokenizer {
  readonly size: number;
  readonly special: readonly string[];
  private readonly tokenizer: PeerTokenizer;
  /** A second one without special tokens, made when a text spells one out. */
  private plain: PeerTokenizer | null = null;
  /** Ids that plain text must not become. */
  private readonly guarded: ReadonlySet<number>;

  /**
   * @param Peer The class of `@huggingface/tokenizers`.
   * @param json What `tokenizer.json` holds.
   * @param config What `tokenizer_config.json` holds; may be empty.
   */
  constructor(
    private readonly Peer: PeerClass,
    private readonly json: HuggingFaceJSON,
    private readonly config: object,
  ) {
    this.tokenizer = new Peer(json, config);
    const ids = [...this.tokenizer.get_vocab(true).values()];
    this.size = ids.reduce((most, id) => Math.max(most, id + 1), 0);
    const special = (json.added_tokens ?? []).filter((token) => token.special);
    this.special = special.map(({ content }) => content);
    // The token for what is unknown is no structure: any text may hold something unknown.
    const unknown = json.model.unk_token ?? this.tokenOrNull(json.model.unk_id);
    this.guarded = new Set(
      special.filter(({ content }) => content !== unknown).map(({ id }) => id),
    );
  }

  encode(text: string, options: EncodeOptions = {}): number[] {
    checkText('tokenizer.encode', text);
    assertKnownOptions('tokenizer.encode', options, ['allowSpecial']);
    const { ids } = this.tokenizer.encode(text, { add_special_tokens: false });
    if (options.allowSpecial || !ids.some((id) => this.guarded.has(id))) return ids;
    this.plain ??= new this.Peer(withoutSpecial(this.json, this.guarded), this.config);
    return this.plain.encode(text, { add_special_tokens: false }).ids;
  }

  decode(ids: ArrayLike<number>, options: DecodeOptions = {}): string {
    checkIds('tokenizer.decode', ids);
    assertKnownOptions('tokenizer.decode', options, ['skipSpecial']);
    const list = Array.from(ids, (id, i) => checkId('tokenizer.decode', id, this.size, i));
    return this.textOf(list, options.skipSpecial ?? true);
  }

  createDecoder(options: DecodeOptions = {}): StreamDecoder {
    assertKnownOptions('tokenizer.createDecoder', options, ['skipSpecial']);
    const { skipSpecial = true } = options;
    // Text depends on what stands before it (a space between words, bytes of one character), so new ids are decoded
    // after the last ones that were handed out, and their text is cut off.
    let before: number[] = [];
    let pending: number[] = [];
    const added = (): string =>
      this.textOf([...before, ...pending], skipSpecial).slice(
        this.textOf(before, skipSpecial).length,
      );
    return {
      push: (id) => {
        pending.push(checkId('tokenizer.createDecoder', id, this.size));
        const text = added();
        if (text === '' || text.endsWith('\uFFFD')) return ''; // perhaps the start of a character
        [before, pending] = [pending, []];
        return text;
      },
      flush: () => {
        const text = added();
        [before, pending] = [[], []];
        return text;
      },
    };
  }

  idOf(token: string): number {
    const id = this.tokenizer.token_to_id(token);
    assert(
      id !== undefined,
      () =>
        `tokenizer.idOf: no token ${describe(token)} in this vocabulary of ${this.size}. ` +
        `Special tokens: ${this.special.join(', ') || 'none'}.`,
    );
    return id;
  }

  tokenOf(id: number): string {
    const token = this.tokenOrNull(checkId('tokenizer.tokenOf', id, this.size));
    assert(token !== null, () => `tokenizer.tokenOf: no token has the id ${id}.`);
    return token;
  }

  toJSON(): TokenizerJSON {
    return {
      type: 'huggingface',
      version: 1,
      special: [...this.special],
      tokenizer: this.json,
      config: this.config,
    };
  }

  private textOf(ids: number[], skipSpecial: boolean): string {
    if (ids.length === 0) return '';
    // Cleaning up would take away spaces that are in the tokens, and text that was handed out already.
    const options = { skip_special_tokens: skipSpecial, clean_up_tokenization_spaces: false };
    return this.tokenizer.decode(ids, options);
  }

  private tokenOrNull(id: number | null | undefined): string | null {
    return id === null || id === undefined ? null : (this.tokenizer.id_to_token(id) ?? null);
  }
}

/** The same tokenizer, but no text becomes one of the given ids. */
function withoutSpecial(json: HuggingFaceJSON, ids: ReadonlySet<number>): HuggingFaceJSON {
  const { vocab } = json.model;
  const hidden = Array.isArray(vocab)
    ? // Ids are places in the list, so a token stays there under a name that nobody can write.
      vocab.map(([token, score], id): [string, number] =>
        ids.has(id) ? [`\uFFFF${Math.random()}`, score] : [token, score],
      )
    : vocab && Object.fromEntries(Object.entries(vocab).filter(([, id]) => !ids.has(id)));
  return {
    ...json,
    model: { ...json.model, vocab: hidden },
    added_tokens: (json.added_tokens ?? []).filter(({ id }) => !ids.has(id)),
    post_processor: null,
  };
}
