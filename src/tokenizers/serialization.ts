/** Tokenizers from plain JSON, so that they can be saved beside a model. */
import { assert, describe } from '../util/errors.js';
import { ByteTokenizer } from './bytes.js';
import { CharacterTokenizer } from './characters.js';
import { HuggingFaceTokenizer, type HuggingFaceJSON, type PeerClass } from './hugging_face.js';
import { checkSpecial } from './special_tokens.js';
import type { Tokenizer, TokenizerJSON } from './tokenizer.js';

const WHERE = 'tokenizers.fromJSON';

/** The class of the package that reads Hugging Face's tokenizers, once `load` has loaded it. */
let peer: PeerClass | null = null;

/**
 * Remembers the class, so that `fromJSON` can do without waiting.
 *
 * @param loaded The class `Tokenizer` of `@huggingface/tokenizers`.
 */
export function keepPeer(loaded: PeerClass): void {
  peer = loaded;
}

/**
 * Makes a tokenizer from what its `toJSON` returned.
 *
 *     const text = JSON.stringify(tokenizer);
 *     const same = tokenizers.fromJSON(JSON.parse(text));
 *
 * One that `load` made from a `tokenizer.json` needs a package that has to be loaded first: `await tokenizers.load(json)`
 * does both, and takes the JSON of any other tokenizer too.
 *
 * @param json The parsed JSON: an object with `type` and `version`.
 * @returns A tokenizer with the same ids.
 * @throws Error when the JSON is of an unknown type or version, or damaged.
 */
export function fromJSON(json: unknown): Tokenizer {
  assert(
    typeof json === 'object' && json !== null && 'type' in json && 'version' in json,
    () =>
      `${WHERE}: json must be an object with type and version, got json=${describe(json)}.` +
      (typeof json === 'string' ? ' Parse it with JSON.parse first.' : ''),
  );
  const { type, version, special, characters, unknown, ...rest } = json as TokenizerJSON;
  assert(
    type === 'characters' || type === 'bytes' || type === 'huggingface',
    () =>
      `${WHERE}: type must be 'characters', 'bytes' or 'huggingface', got type=${describe(type)}.`,
  );
  assert(
    version === 1,
    () =>
      `${WHERE}: version must be 1, got version=${describe(version)}. ` +
      'A newer version of this package wrote it: update the package.',
  );
  if (type === 'huggingface') {
    const { tokenizer, config = {} } = rest;
    assert(
      typeof tokenizer === 'object' && 'model' in tokenizer,
      () => `${WHERE}: tokenizer must be what tokenizer.json holds, got ${describe(tokenizer)}.`,
    );
    assert(
      peer !== null,
      () =>
        `${WHERE}: this tokenizer needs the package @huggingface/tokenizers, which is not loaded yet. ` +
        'Use `await tokenizers.load(json)` instead.',
    );
    return new HuggingFaceTokenizer(peer, tokenizer as HuggingFaceJSON, config);
  }
  const specialTokens = checkSpecial(WHERE, special);
  if (type === 'bytes') return new ByteTokenizer(specialTokens);
  assert(
    typeof characters === 'string' && characters !== '',
    () =>
      `${WHERE}: characters must be a non-empty string, got characters=${describe(characters)}.`,
  );
  const alphabet = Array.from(characters);
  assert(
    new Set(alphabet).size === alphabet.length,
    () => `${WHERE}: characters must be distinct, got characters=${describe(characters)}.`,
  );
  return new CharacterTokenizer(alphabet, specialTokens, unknown ?? null);
}
