import * as fc from 'fast-check';
import { bytes, fromJSON, type Tokenizer } from '../../src/tokenizers/index.js';

/** What a stream decoder yields in all, checked to hold no half character on the way. */
function streamed(tokenizer: Tokenizer, ids: number[]): string {
  const decoder = tokenizer.createDecoder({ skipSpecial: false });
  const pieces = ids.map((id) => decoder.push(id));
  return pieces.join('') + decoder.flush();
}

describe('bytes', () => {
  test('ids are the bytes of UTF-8', () => {
    const tokenizer = bytes();
    expect(tokenizer.size).toBe(256);
    expect(tokenizer.special).toEqual([]);
    expect(tokenizer.encode('né€😀')).toEqual([
      110, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80,
    ]);
    expect(tokenizer.decode(Uint8Array.of(110, 0xc3, 0xa9))).toBe('né');
  });

  test('special tokens follow from 256 and come from text only when allowed', () => {
    const tokenizer = bytes({ special: ['<end>', '<pad>'] });
    expect(tokenizer.size).toBe(258);
    expect(tokenizer.encode('<pad>')).toEqual([60, 112, 97, 100, 62]);
    expect(tokenizer.encode('a<pad>b', { allowSpecial: true })).toEqual([97, 257, 98]);
    expect(tokenizer.decode([97, 256, 98])).toBe('ab');
    expect(tokenizer.decode([97, 256, 98], { skipSpecial: false })).toBe('a<end>b');
  });

  test('names of tokens', () => {
    const tokenizer = bytes({ special: ['<end>'] });
    expect([65, 10, 195, 256].map((id) => tokenizer.tokenOf(id))).toEqual([
      'A',
      '\n',
      '<0xC3>',
      '<end>',
    ]);
    for (let id = 0; id < tokenizer.size; id++) {
      expect(tokenizer.idOf(tokenizer.tokenOf(id))).toBe(id);
    }
    expect(tokenizer.idOf('<0x0A>')).toBe(10);
  });

  test('bytes that are not UTF-8 become U+FFFD, half a surrogate pair too', () => {
    const tokenizer = bytes();
    expect(tokenizer.decode([0xff])).toBe('\ufffd');
    expect(tokenizer.decode([97, 0xe2, 0x82])).toBe('a\ufffd');
    expect(tokenizer.decode(tokenizer.encode('a\ud83d'))).toBe('a\ufffd');
    expect(tokenizer.decode(tokenizer.encode('\ufeffa'))).toBe('\ufeffa'); // no byte order mark is eaten
  });

  test('a stream never yields half a character', () => {
    const decoder = bytes({ special: ['<end>'] }).createDecoder();
    expect([0xf0, 0x9f, 0x98, 0x80, 97].map((id) => decoder.push(id))).toEqual([
      '',
      '',
      '',
      '😀',
      'a',
    ]);
    expect(decoder.push(0xe2)).toBe('');
    expect(decoder.flush()).toBe('\ufffd');
    expect(decoder.flush()).toBe('');
    expect(decoder.push(0xe2)).toBe('');
    expect(decoder.push(256)).toBe('\ufffd'); // a special token ends the character
    expect(decoder.push(98)).toBe('b');
    expect(() => decoder.push(257)).toThrow(
      'bytes.createDecoder: token id must be an integer between 0 and 256, got id=257.',
    );
  });

  test('decode undoes encode for any text; streaming agrees; JSON keeps the ids', () => {
    const tokenizer = bytes({ special: ['<end>'] });
    const copy = fromJSON(JSON.parse(JSON.stringify(tokenizer)));
    expect(copy.toJSON()).toEqual({ type: 'bytes', version: 1, special: ['<end>'] });
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const ids = tokenizer.encode(text);
        expect(tokenizer.decode(ids)).toBe(text);
        expect(streamed(tokenizer, ids)).toBe(text);
        expect(copy.encode(text)).toEqual(ids);
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 256 })), (ids) => {
        expect(streamed(tokenizer, ids)).toBe(tokenizer.decode(ids, { skipSpecial: false }));
      }),
    );
  });

  test('bad input', () => {
    const tokenizer = bytes();
    expect(() => bytes({ special: ['.'] })).toThrow('must not be the name of a byte');
    expect(() => bytes({ special: ['<0xC3>'] })).toThrow('must not be the name of a byte');
    expect(() => bytes({ unknown: '?' } as never)).toThrow(
      "bytes: unknown option 'unknown'. Known options: special.",
    );
    expect(() => tokenizer.encode(3 as never)).toThrow(
      'bytes.encode: text must be a string, got text=3.',
    );
    expect(() => tokenizer.encode('a', { allowspecial: true } as never)).toThrow(
      "Did you mean 'allowSpecial'?",
    );
    expect(() => tokenizer.decode([256])).toThrow('between 0 and 255, got ids[0]=256');
    expect(() => tokenizer.decode([NaN])).toThrow('got ids[0]=NaN');
    expect(() => tokenizer.decode('abc' as never)).toThrow('must be an array or a typed array');
    expect(() => tokenizer.tokenOf(256)).toThrow('got id=256');
    expect(() => tokenizer.idOf('é')).toThrow(
      "bytes.idOf: no token 'é' in this vocabulary of 256.",
    );
  });
});
