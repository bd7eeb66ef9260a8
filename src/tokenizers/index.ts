/** Text to token ids and back. */
export { characters, type CharactersOptions } from './characters.js';
export { bytes, type BytesOptions } from './bytes.js';
export { load, type LoadOptions } from './load.js';
export { fromJSON } from './serialization.js';
export type {
  DecodeOptions,
  EncodeOptions,
  StreamDecoder,
  Tokenizer,
  TokenizerJSON,
} from './tokenizer.js';
