import { assertTokenIds } from '../../src/util/token_ids.js';

describe('assertTokenIds', () => {
  test('takes flat, nested and typed arrays', () => {
    assertTokenIds('generate', [0, 5, 95], 96);
    assertTokenIds('generate', [[0], [95, 1]], 96);
    assertTokenIds('generate', Int32Array.of(0, 95), 96);
    assertTokenIds('generate', [Int32Array.of(3), [4]], 96);
    assertTokenIds('generate', [], 96);
  });
  test('names the wrong id and its place', () => {
    const rule = 'generate: token ids must be integers between 0 and 95, got ';
    expect(() => assertTokenIds('generate', [[1, 2, 3, 96]], 96)).toThrow(
      `${rule}96 at row 0, position 3.`,
    );
    expect(() => assertTokenIds('generate', [[1], [2, -1]], 96)).toThrow(
      `${rule}-1 at row 1, position 1.`,
    );
    expect(() => assertTokenIds('generate', [1.5], 96)).toThrow(`${rule}1.5 at position 0.`);
    expect(() => assertTokenIds('generate', Float32Array.of(NaN), 96)).toThrow(
      `${rule}NaN at position 0.`,
    );
    expect(() => assertTokenIds('generate', [[[0], [97]]], 96)).toThrow(
      `${rule}97 at row 0,1, position 0.`,
    );
    expect(() => assertTokenIds('generate', ['a'] as never, 96)).toThrow(
      `${rule}'a' at position 0.`,
    );
    expect(() => assertTokenIds('generate', null as never, 96)).toThrow(`${rule}null.`);
  });
});
