/** One token a byte of UTF-8. */
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

const BYTES = 256;
const BYTE_NAME = /^<0x([0-9A-F]{2})>$/;

/** Options of {@link bytes}. */
export interface BytesOptions {
  /** Special tokens, for example `['<end>']`; they get the ids from 256 on. None by default. */
  special?: readonly string[];
}

/**
 * Makes a tokenizer whose tokens are the bytes of UTF-8: ids 0 … 255 are the bytes, special tokens follow from 256.
 * It takes any text and needs no training.
 *
 *     bytes().encode('né');                // [110, 195, 169]
 *
 * Special tokens are never produced from plain text: `encode` makes them only with `{ allowSpecial: true }`. Bytes
 * that are not valid UTF-8 decode to U+FFFD; half a surrogate pair encodes as U+FFFD, as everywhere in UTF-8.
 *
 * @param options `special`.
 * @returns The tokenizer, of size 256 and the special tokens.
 */
export function bytes(options: BytesOptions = {}): Tokenizer {
  assertKnownOptions('bytes', options, ['special']);
  return new ByteTokenizer(checkSpecial('bytes', options.special ?? []));
}

/** One token a byte of UTF-8, with special tokens after them; made by {@link bytes}. */
export class ByteTokenizer implements Tokenizer {
  /** @param special Special tokens, from id 256 on. */
  constructor(readonly special: readonly string[]) {
    for (const token of special) {
      assert(
        !BYTE_NAME.test(token) && !isAscii(token),
        () =>
          `bytes: a special token must not be the name of a byte, got special token ${describe(token)}. ` +
          'Give it another name, such as <end>.',
      );
    }
  }

  get size(): number {
    return BYTES + this.special.length;
  }

  encode(text: string, options: EncodeOptions = {}): number[] {
    checkText('bytes.encode', text);
    assertKnownOptions('bytes.encode', options, ['allowSpecial']);
    const encoder = new TextEncoder();
    const result: number[] = [];
    for (const piece of splitAtSpecial(text, options.allowSpecial ? this.special : [])) {
      if (piece.isSpecial) result.push(this.idOf(piece.text));
      else for (const byte of encoder.encode(piece.text)) result.push(byte);
    }
    return result;
  }

  decode(ids: ArrayLike<number>, options: DecodeOptions = {}): string {
    checkIds('bytes.decode', ids);
    assertKnownOptions('bytes.decode', options, ['skipSpecial']);
    const { skipSpecial = true } = options;
    const decoder = newDecoder();
    const run = new Uint8Array(ids.length);
    let length = 0;
    let text = '';
    for (let i = 0; i < ids.length; i++) {
      const id = checkId('bytes.decode', ids[i], this.size, i);
      if (id < BYTES) {
        run[length++] = id;
        continue;
      }
      text += decoder.decode(run.subarray(0, length));
      length = 0;
      if (!skipSpecial) text += this.special[id - BYTES];
    }
    return text + decoder.decode(run.subarray(0, length));
  }

  createDecoder(options: DecodeOptions = {}): StreamDecoder {
    assertKnownOptions('bytes.createDecoder', options, ['skipSpecial']);
    const { skipSpecial = true } = options;
    const decoder = newDecoder();
    return {
      push: (id) => {
        checkId('bytes.createDecoder', id, this.size);
        if (id < BYTES) return decoder.decode(Uint8Array.of(id), { stream: true });
        return decoder.decode() + (skipSpecial ? '' : this.special[id - BYTES]);
      },
      flush: () => decoder.decode(),
    };
  }

  idOf(token: string): number {
    const name = BYTE_NAME.exec(token);
    if (name !== null) return parseInt(name[1], 16);
    if (isAscii(token)) return token.charCodeAt(0);
    const place = this.special.indexOf(token);
    assert(
      place >= 0,
      () =>
        `bytes.idOf: no token ${describe(token)} in this vocabulary of ${this.size}. Tokens are single ASCII ` +
        `characters, <0x00> … <0xFF> and the special tokens: ${this.special.join(', ') || 'none'}.`,
    );
    return BYTES + place;
  }

  tokenOf(id: number): string {
    checkId('bytes.tokenOf', id, this.size);
    if (id >= BYTES) return this.special[id - BYTES];
    if (id < 128) return String.fromCharCode(id);
    return `<0x${id.toString(16).toUpperCase()}>`;
  }

  toJSON(): TokenizerJSON {
    return { type: 'bytes', version: 1, special: [...this.special] };
  }
}

/** `ignoreBOM` keeps a leading U+FEFF, which is text like any other here. */
function newDecoder(): TextDecoder {
  return new TextDecoder('utf-8', { ignoreBOM: true });
}

function isAscii(token: string): boolean {
  return token.length === 1 && token.charCodeAt(0) < 128;
}
