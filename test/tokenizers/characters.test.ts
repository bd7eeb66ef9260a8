import * as fc from 'fast-check';
import { characters, fromJSON } from '../../src/tokenizers/index.js';

describe('characters', () => {
  test('ids: special tokens first, then unknown, then characters in code point order', () => {
    const tokenizer = characters('hello', { special: ['<pad>', '<end>'], unknown: '<unk>' });
    expect(tokenizer.size).toBe(7);
    expect(tokenizer.special).toEqual(['<pad>', '<end>']);
    expect(Array.from({ length: 7 }, (_, id) => tokenizer.tokenOf(id))).toEqual([
      '<pad>',
      '<end>',
      '<unk>',
      'e',
      'h',
      'l',
      'o',
    ]);
    expect(tokenizer.encode('hello')).toEqual([4, 3, 5, 5, 6]);
    expect(tokenizer.idOf('<end>')).toBe(1);
    expect(tokenizer.encode('')).toEqual([]);
  });

  test('a character is a code point, not a UTF-16 half, and order is by code point', () => {
    const tokenizer = characters('😀\uffeea'); // by UTF-16 units 😀 (D83D…) would come before U+FFEE
    expect(tokenizer.size).toBe(3);
    expect(tokenizer.encode('a\uffee😀')).toEqual([0, 1, 2]);
    expect(tokenizer.decode([2, 2])).toBe('😀😀');
  });

  test('special tokens come from text only when allowed; the longest wins', () => {
    const tokenizer = characters('<end>s.', { special: ['<end>', '<end>s'] });
    expect(tokenizer.encode('<end>')).toEqual(Array.from('<end>').map((c) => tokenizer.idOf(c)));
    expect(tokenizer.encode('s<end>s<end>', { allowSpecial: true })).toEqual([
      tokenizer.idOf('s'),
      1,
      0,
    ]);
  });

  test('a special token of one character is not text', () => {
    const tokenizer = characters('ab', { special: ['.'] });
    expect(() => tokenizer.encode('a.')).toThrow(
      'characters.encode: character "." (U+002E) at index 1 is not in the vocabulary. ' +
        "Make the tokenizer from text that holds it, or with { unknown: '<unk>' }.",
    );
    expect(tokenizer.encode('a.', { allowSpecial: true })).toEqual([1, 0]);
  });

  test('decode leaves special tokens out unless asked, and takes typed arrays', () => {
    const tokenizer = characters('ab', { special: ['<end>'], unknown: '?' });
    expect(tokenizer.decode(Int32Array.of(2, 0, 3, 1))).toBe('ab?');
    expect(tokenizer.decode([2, 0, 3, 1], { skipSpecial: false })).toBe('a<end>b?');
    const listed = characters('ab', { special: ['<unk>'], unknown: '<unk>' });
    expect(listed.decode(listed.encode('axb'))).toBe('ab');
  });

  test('an unknown token that is a character of the text is that character', () => {
    const tokenizer = characters('a?', { unknown: '?' });
    expect(tokenizer.size).toBe(2);
    expect(tokenizer.decode(tokenizer.encode('axa'))).toBe('a?a');
  });

  test('streams', () => {
    const decoder = characters('a😀', { special: ['<end>'] }).createDecoder({ skipSpecial: false });
    expect([2, 1, 0].map((id) => decoder.push(id))).toEqual(['😀', 'a', '<end>']);
    expect(decoder.flush()).toBe('');
  });

  test('decode undoes encode for any text over the alphabet, also after JSON', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 1 }),
        fc.infiniteStream(fc.nat()),
        (alphabet, picks) => {
          const tokenizer = characters(alphabet, { special: ['<pad>', '<end>'] });
          const letters = Array.from(alphabet);
          let text = '';
          for (let i = 0; i < 20; i++) text += letters[picks.next().value % letters.length];
          const ids = tokenizer.encode(text);
          expect(ids).toHaveLength(20);
          expect(tokenizer.decode(ids)).toBe(text);
          const copy = fromJSON(JSON.parse(JSON.stringify(tokenizer)));
          expect(copy.encode(text)).toEqual(ids);
          expect(copy.decode(ids)).toBe(text);
          expect(copy.toJSON()).toEqual(tokenizer.toJSON());
        },
      ),
    );
  });

  test('bad input', () => {
    const tokenizer = characters('abc');
    expect(() => characters('')).toThrow('characters: text must hold at least one character');
    expect(() => characters(7 as never)).toThrow('characters: text must be a string, got text=7.');
    expect(() => characters('a\ud83d')).toThrow('got half a surrogate pair at index 1');
    expect(() => characters('a', { specials: [] } as never)).toThrow("unknown option 'specials'");
    expect(() => characters('a', { special: ['x', 'x'] })).toThrow(
      "characters: special tokens must be distinct, got 'x' twice.",
    );
    expect(() => characters('a', { special: [''] })).toThrow('array of non-empty strings');
    expect(() => characters('a\n', { special: ['\n'] })).toThrow(
      'a special token must not be a character of the text',
    );
    expect(() => characters('a', { unknown: '' })).toThrow('unknown must be a non-empty string');
    expect(() => tokenizer.encode('abß')).toThrow('character "ß" (U+00DF) at index 2');
    expect(() => tokenizer.encode('ab\ud83d')).toThrow('character "\\ud83d" (U+D83D) at index 2');
    expect(() => tokenizer.encode(null as never)).toThrow(
      'characters.encode: text must be a string',
    );
    expect(() => tokenizer.decode([0, 3])).toThrow(
      'characters.decode: token id must be an integer between 0 and 2, got ids[1]=3.',
    );
    expect(() => tokenizer.decode([0.5])).toThrow('got ids[0]=0.5');
    expect(() => tokenizer.decode([[0]] as never)).toThrow('got ids[0]=[0]');
    expect(() => tokenizer.decode({} as never)).toThrow('Read a tensor with `await tensor.data()`');
    expect(() => tokenizer.tokenOf(-1)).toThrow('between 0 and 2, got id=-1');
    expect(() => tokenizer.idOf('z')).toThrow(
      "characters.idOf: no token 'z' in this vocabulary of 3. Special tokens: none; the rest are single characters.",
    );
  });
});
