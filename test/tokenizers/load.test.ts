/** Tokenizers of Hugging Face against its own library: ids, text, streams, special tokens, saving. */
import * as fc from 'fast-check';
import { bytes, characters, fromJSON, load, type Tokenizer } from '../../src/tokenizers/index.js';
import { readFixtureFile } from '../support/fixture_files.js';

interface TokenizerCase {
  name: string;
  tokenizer: Record<string, any>;
  texts: { text: string; ids: number[]; decoded: string }[];
}

const { cases } = JSON.parse(
  new TextDecoder().decode(readFixtureFile('tokenizers/cases.json')),
) as { cases: TokenizerCase[] };
const jsonOf = (name: string) => cases.find((c) => c.name === name)!.tokenizer;

test('nothing is needed before a tokenizer.json is loaded, and fromJSON says what to do', () => {
  const json = { type: 'huggingface', version: 1, special: [], tokenizer: jsonOf('unigram') };
  expect(() => fromJSON(json)).toThrow(
    'tokenizers.fromJSON: this tokenizer needs the package @huggingface/tokenizers, which is not loaded yet. ' +
      'Use `await tokenizers.load(json)` instead.',
  );
});

describe.each(cases)('$name', ({ tokenizer: json, texts }) => {
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    tokenizer = await load(json);
  });

  /** The text as a stream hands it out, and the pieces. */
  function streamed(ids: number[], skipSpecial = true): { text: string; pieces: string[] } {
    const decoder = tokenizer.createDecoder({ skipSpecial });
    const pieces = ids.map((id) => decoder.push(id));
    return { text: pieces.join('') + decoder.flush(), pieces };
  }

  test.each(texts)('$text', ({ text, ids, decoded }) => {
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(decoded);
    const { text: whole, pieces } = streamed(ids);
    expect(whole).toBe(decoded);
    for (const piece of pieces) expect(piece).not.toContain('\uFFFD');
  });

  test('what a stream hands out is what decode returns, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 20 }), (text) => {
        const ids = tokenizer.encode(text);
        for (const skipSpecial of [true, false]) {
          expect(streamed(ids, skipSpecial).text).toBe(tokenizer.decode(ids, { skipSpecial }));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('special tokens come from text only when asked', () => {
    const end = tokenizer.special[tokenizer.special.length > 1 ? 2 : 0];
    const guarded = tokenizer.special.filter((token) => !/unk/i.test(token));
    for (const token of guarded) {
      const id = tokenizer.idOf(token);
      const text = `a ${token} b`;
      expect(tokenizer.encode(text)).not.toContain(id);
      expect(tokenizer.encode(text, { allowSpecial: true })).toContain(id);
      expect(tokenizer.tokenOf(id)).toBe(token);
    }
    const ids = [...tokenizer.encode('one'), tokenizer.idOf(end), ...tokenizer.encode('one')];
    expect(tokenizer.decode(ids)).not.toContain(end);
    expect(tokenizer.decode(ids, { skipSpecial: false })).toContain(end);
    expect(streamed(ids).text).toBe(tokenizer.decode(ids));
    expect(streamed(ids, false).text).toBe(tokenizer.decode(ids, { skipSpecial: false }));
  });

  test('is the same after saving', async () => {
    const saved: unknown = JSON.parse(JSON.stringify(tokenizer));
    for (const copy of [await load(saved), fromJSON(saved)]) {
      expect(copy.size).toBe(tokenizer.size);
      for (const { text, ids } of texts) expect(copy.encode(text)).toEqual(ids);
    }
  });

  test('its size is that of the vocabulary, and ids outside are refused', () => {
    const most = Math.max(...texts.flatMap(({ ids }) => ids));
    expect(tokenizer.size).toBeGreaterThan(most);
    expect(tokenizer.tokenOf(tokenizer.size - 1)).not.toBe('');
    expect(() => tokenizer.decode([0, tokenizer.size])).toThrow(
      `tokenizer.decode: token id must be an integer between 0 and ${tokenizer.size - 1}, got ids[1]=`,
    );
    expect(() => tokenizer.tokenOf(-1)).toThrow('tokenizer.tokenOf: token id must be');
    expect(() => tokenizer.idOf('no such token')).toThrow("idOf: no token 'no such token' in this");
    expect(tokenizer.decode([])).toBe('');
    expect(tokenizer.encode('')).toEqual([]);
  });
});

describe('byte-level tokens', () => {
  test('half a character waits; an incomplete one becomes U+FFFD at the end', async () => {
    const tokenizer = await load(jsonOf('byte_level'));
    const ids = tokenizer.encode('é😀');
    const decoder = tokenizer.createDecoder();
    expect(ids.map((id) => decoder.push(id))).toEqual(['', 'é', '', '', '', '😀']);
    expect(decoder.flush()).toBe('');
    decoder.push(ids[2]);
    expect(decoder.flush()).toBe('\uFFFD');
    expect(decoder.push(tokenizer.encode('x')[0])).toBe('x'); // can be used again
  });

  test('bytes that are no text do not hold the rest back', async () => {
    const tokenizer = await load(jsonOf('byte_level'));
    const [lead] = tokenizer.encode('é');
    const ids = [lead, ...tokenizer.encode('ab')];
    const decoder = tokenizer.createDecoder();
    expect(ids.map((id) => decoder.push(id)).join('')).toBe('\uFFFDab');
  });
});

describe('load', () => {
  test('takes what toJSON of any tokenizer returned', async () => {
    for (const tokenizer of [characters('abc'), bytes({ special: ['<end>'] })]) {
      const copy = await load(JSON.parse(JSON.stringify(tokenizer)));
      expect(copy.encode('ab')).toEqual(tokenizer.encode('ab'));
      expect(copy.toJSON()).toEqual(tokenizer.toJSON());
    }
  });

  test('a library of the caller is asked, and what it lacks is said', async () => {
    const json = jsonOf('byte_level');
    const asked = jest.fn(() => import('@huggingface/tokenizers'));
    await load(json, { library: asked });
    expect(asked).toHaveBeenCalledTimes(1);
    const missing = () => Promise.reject(new Error("Cannot find package 'x'\nmore"));
    await expect(load(json, { library: missing })).rejects.toThrow(
      'tokenizers.load: a tokenizer.json needs the package @huggingface/tokenizers, which cannot be loaded ' +
        "(Cannot find package 'x'). Install it with `npm install @huggingface/tokenizers`; in a bundle also give " +
        "{ library: () => import('@huggingface/tokenizers') }.",
    );
    await expect(load(json, { library: () => Promise.resolve({}) })).rejects.toThrow(
      'library must load @huggingface/tokenizers, got a module without a class Tokenizer.',
    );
  });

  test.each([
    ['{}', 'json must be what tokenizer.json holds, or what toJSON returned, got json='],
    [null, 'got json=null.'],
    [{ vocab: {} }, 'json must be what tokenizer.json holds'],
    [{ type: 'other', version: 1 }, "type must be 'characters', 'bytes' or 'huggingface'"],
    [
      { type: 'huggingface', version: 1, special: [] },
      'tokenizer must be what tokenizer.json holds, got undefined.',
    ],
  ])('%j', async (json, message) => {
    await expect(load(json)).rejects.toThrow(message);
  });

  test('unknown options', async () => {
    await expect(load({}, { conf: {} } as object)).rejects.toThrow(
      "tokenizers.load: unknown option 'conf'",
    );
  });
});
