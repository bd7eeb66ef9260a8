/** One token a character. */
import { assert, assertKnownOptions, describe } from '../util/errors.js';
import { checkSpecial, splitAtSpecial } from './special_tokens.js';
import { checkId, checkIds, checkText } from './arguments.js';
import type {
  DecodeOptions,
  EncodeOptions,
  StreamDecoder,
  Tokenizer,
  TokenizerJSON,
} from './tokenizer.js';

/** Options of {@link characters}. */
export interface CharactersOptions {
  /**
   * Token that stands for every character outside the vocabulary, for example `'<unk>'` or `'�'`. It counts as text:
   * `decode` shows it, unless it is listed in `special` too. Without it such a character is an error.
   */
  unknown?: string;
  /** Special tokens, for example `['<pad>', '<end>']`; they get the lowest ids. None by default. */
  special?: readonly string[];
}

/**
 * Makes a tokenizer whose tokens are the distinct characters of a text (Unicode code points, not UTF-16 halves).
 * Ids go to the special tokens first, in their order, then to `unknown`, then to the characters in code point order,
 * so that the same characters always get the same ids.
 *
 *     const tokenizer = characters('hello', { special: ['<end>'] });
 *     tokenizer.encode('hello');           // [2, 1, 3, 3, 4]: <end> e h l o have the ids 0 … 4
 *
 * Special tokens are never produced from plain text: `encode` makes them only with `{ allowSpecial: true }`.
 *
 * @param text Text that holds every character to come; usually the training text.
 * @param options `unknown` and `special`.
 * @returns The tokenizer; its size is the number of distinct characters and special tokens.
 * @throws Error when the text holds no character or half a surrogate pair, or a special token is also a character of the text.
 */
export function characters(text: string, options: CharactersOptions = {}): Tokenizer {
  checkText('characters', text);
  assertKnownOptions('characters', options, ['unknown', 'special']);
  assert(text !== '', () => 'characters: text must hold at least one character, got an empty one.');
  const half = text.search(/\p{Surrogate}/u);
  assert(
    half < 0,
    () =>
      `characters: text must be whole Unicode characters, got half a surrogate pair at index ${half}. ` +
      'Do not cut a string in the middle of a character.',
  );
  const codePoints = Array.from(new Set(text), (character) => character.codePointAt(0) as number);
  codePoints.sort((a, b) => a - b);
  return new CharacterTokenizer(
    codePoints.map((codePoint) => String.fromCodePoint(codePoint)),
    checkSpecial('characters', options.special ?? []),
    options.unknown ?? null,
  );
}

/** One token a character, with special tokens before them; made by {@link characters}. */
export class CharacterTokenizer implements Tokenizer {
  readonly special: readonly string[];
  private readonly tokens: readonly string[];
  private readonly ids: ReadonlyMap<string, number>;

  /**
   * @param alphabet Distinct characters in the order of their ids.
   * @param special Special tokens, before them.
   * @param unknown Token for characters outside the vocabulary, or null.
   */
  constructor(
    private readonly alphabet: readonly string[],
    special: readonly string[],
    private readonly unknown: string | null,
  ) {
    assert(
      unknown === null || (typeof unknown === 'string' && unknown !== ''),
      () => `characters: unknown must be a non-empty string, got unknown=${describe(unknown)}.`,
    );
    const inText = new Set(alphabet);
    for (const token of special) {
      assert(
        !inText.has(token),
        () =>
          `characters: a special token must not be a character of the text, got special token ${describe(token)}. ` +
          'Give it a longer name, such as <end>.',
      );
    }
    const extra =
      unknown === null || special.includes(unknown) || inText.has(unknown) ? [] : [unknown];
    this.special = special;
    this.tokens = [...special, ...extra, ...alphabet];
    this.ids = new Map(this.tokens.map((token, id) => [token, id]));
  }

  get size(): number {
    return this.tokens.length;
  }

  encode(text: string, options: EncodeOptions = {}): number[] {
    checkText('characters.encode', text);
    assertKnownOptions('characters.encode', options, ['allowSpecial']);
    const unknownId = this.unknown === null ? undefined : this.ids.get(this.unknown);
    const special = new Set(this.special);
    const result: number[] = [];
    for (const piece of splitAtSpecial(text, options.allowSpecial ? this.special : [])) {
      if (piece.isSpecial) {
        result.push(this.idOf(piece.text));
        continue;
      }
      let at = piece.start;
      for (const character of piece.text) {
        // A special token of one character is still no text.
        const id = (special.has(character) ? undefined : this.ids.get(character)) ?? unknownId;
        assert(id !== undefined, () => notInVocabulary(character, at));
        result.push(id);
        at += character.length;
      }
    }
    return result;
  }

  decode(ids: ArrayLike<number>, options: DecodeOptions = {}): string {
    checkIds('characters.decode', ids);
    assertKnownOptions('characters.decode', options, ['skipSpecial']);
    const { skipSpecial = true } = options;
    let text = '';
    for (let i = 0; i < ids.length; i++) {
      const id = checkId('characters.decode', ids[i], this.size, i);
      if (!skipSpecial || id >= this.special.length) text += this.tokens[id];
    }
    return text;
  }

  createDecoder(options: DecodeOptions = {}): StreamDecoder {
    assertKnownOptions('characters.createDecoder', options, ['skipSpecial']);
    return { push: (id) => this.decode([id], options), flush: () => '' };
  }

  idOf(token: string): number {
    const id = this.ids.get(token);
    assert(
      id !== undefined,
      () =>
        `characters.idOf: no token ${describe(token)} in this vocabulary of ${this.size}. ` +
        `Special tokens: ${this.special.join(', ') || 'none'}; the rest are single characters.`,
    );
    return id;
  }

  tokenOf(id: number): string {
    return this.tokens[checkId('characters.tokenOf', id, this.size)];
  }

  toJSON(): TokenizerJSON {
    return {
      type: 'characters',
      version: 1,
      special: [...this.special],
      unknown: this.unknown,
      characters: this.alphabet.join(''),
    };
  }
}

function notInVocabulary(character: string, at: number): string {
  const codePoint = (character.codePointAt(0) as number).toString(16).toUpperCase();
  return (
    `characters.encode: character ${JSON.stringify(character)} (U+${codePoint.padStart(4, '0')}) at index ${at} is not ` +
    "in the vocabulary. Make the tokenizer from text that holds it, or with { unknown: '<unk>' }."
  );
}
