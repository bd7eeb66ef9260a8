/** Tokenizers from plain JSON, so that they can be saved beside a model. */
import { assert, describe } from '../util/errors.js';
import { ByteTokenizer } from './bytes.js';
import { CharacterTokenizer } from './characters.js';
import { checkSpecial } from './special_tokens.js';
import type { Tokenizer, TokenizerJSON } from './tokenizer.js';

const WHERE = 'tokenizers.fromJSON';

/**
 * Makes a tokenizer from what its `toJSON` returned.
 *
 *     const text = JSON.stringify(tokenizer);
 *     const same = tokenizers.fromJSON(JSON.parse(text));
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
  const { type, version, special, characters, unknown } = json as TokenizerJSON;
  assert(
    type === 'characters' || type === 'bytes',
    () => `${WHERE}: type must be 'characters' or 'bytes', got type=${describe(type)}.`,
  );
  assert(
    version === 1,
    () =>
      `${WHERE}: version must be 1, got version=${describe(version)}. ` +
      'A newer version of this package wrote it: update the package.',
  );
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
