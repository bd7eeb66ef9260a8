import { bytes, characters, fromJSON } from '../../src/tokenizers/index.js';

describe('fromJSON', () => {
  test('the JSON is plain and says what it is', () => {
    expect(characters('ba', { special: ['<end>'], unknown: '<unk>' }).toJSON()).toEqual({
      type: 'characters',
      version: 1,
      special: ['<end>'],
      unknown: '<unk>',
      characters: 'ab',
    });
  });

  test('unknown characters still have their token afterwards', () => {
    const copy = fromJSON(characters('ab', { unknown: '<unk>' }).toJSON());
    expect(copy.encode('axb')).toEqual([1, 0, 2]);
    const strict = fromJSON(characters('ab').toJSON());
    expect(() => strict.encode('x')).toThrow('not in the vocabulary');
  });

  test('the tokenizer does not change when its JSON is changed', () => {
    const tokenizer = bytes({ special: ['<end>'] });
    tokenizer.toJSON().special.push('<pad>');
    expect(tokenizer.size).toBe(257);
  });

  test.each([
    ['{}', 'json must be an object with type and version'],
    [null, 'got json=null'],
    ['{"type":"bytes","version":1}', 'Parse it with JSON.parse first.'],
    [
      { type: 'bpe', version: 1, special: [] },
      "must be 'characters', 'bytes' or 'huggingface', got type='bpe'",
    ],
    [
      { type: 'bytes', version: 2, special: [] },
      'version must be 1, got version=2. A newer version',
    ],
    [{ type: 'bytes', version: 1 }, 'special must be an array of non-empty strings'],
    [{ type: 'characters', version: 1, special: [] }, 'characters must be a non-empty string'],
    [{ type: 'characters', version: 1, special: [], characters: 'aa' }, 'must be distinct'],
    [
      { type: 'characters', version: 1, special: [], characters: 'a', unknown: 3 },
      'unknown must be a non-empty string, got unknown=3',
    ],
  ])('refuses %j', (json, text) => {
    expect(() => fromJSON(json)).toThrow(text);
  });
});
