import * as fc from 'fast-check';
import * as tf from '@tensorflow/tfjs';
import * as masks from '../../src/masks/index.js';
import { describeBackends } from '../support/backends.js';
import { expectIdentical } from '../support/expect_close.js';
import { precision } from '../support/precision.js';

describeBackends('masks.and, masks.or', () => {
  test('truth tables, for every dtype; nonzero is true', () => {
    tf.tidy(() => {
      const a = tf.tensor1d([0, 0, 256, -3], 'int32'); // 256 is 0 as a byte
      const b = tf.tensor1d([0, 0.5, 0, precision().smallest]);
      const c = tf.tensor1d([true, true, true, true], 'bool');
      expectIdentical(masks.and(a, b), [0, 0, 0, 1]);
      expectIdentical(masks.or(a, b), [0, 1, 1, 1]);
      expectIdentical(masks.and(a, b, c), [0, 0, 0, 1]);
      expectIdentical(masks.or(c, a), [1, 1, 1, 1]);
      expectIdentical(masks.and(b), [0, 1, 0, 1]);
      expect(masks.or(b).dtype).toBe('bool');
      expect(masks.and(a, c).dtype).toBe('bool');
    });
  });

  test('broadcast together, at different ranks', () => {
    const bits = (count: number) => fc.array(fc.boolean(), { minLength: count, maxLength: count });
    fc.assert(
      fc.property(bits(2 * 5), bits(3 * 5), bits(5), bits(2 * 3), (pad, grid, last, rows) => {
        tf.tidy(() => {
          const inputs = [
            tf.tensor(pad, [2, 1, 1, 5], 'bool'),
            tf.tensor(grid.map(Number), [3, 5], 'int32'),
            tf.tensor(last.map(Number), [5]),
            tf.tensor(rows, [2, 1, 3, 1], 'bool'),
          ];
          const values = (join: (bits: boolean[]) => boolean) => {
            const out: number[] = [];
            for (let b = 0; b < 2; b++)
              for (let i = 0; i < 3; i++)
                for (let j = 0; j < 5; j++)
                  out.push(
                    join([pad[b * 5 + j], grid[i * 5 + j], last[j], rows[b * 3 + i]]) ? 1 : 0,
                  );
            return { shape: [2, 1, 3, 5], values: out };
          };
          expectIdentical(
            masks.and(...inputs),
            values((x) => x.every(Boolean)),
          );
          expectIdentical(
            masks.or(...inputs),
            values((x) => x.some(Boolean)),
          );
        });
      }),
      { numRuns: 30 },
    );
  });
});

describe('masks.and, masks.or: bad input', () => {
  test('no mask, and shapes that do not broadcast', () => {
    expect(() => masks.and()).toThrow('masks.and: needs at least one mask, got none.');
    expect(() => masks.or()).toThrow('masks.or: needs at least one mask, got none.');
    expect(() => masks.or([[1, 0, 1]], [1, 0])).toThrow(
      'masks.or: shapes of masks must broadcast, got [1,3] and [2].',
    );
  });

  test('what is no tensor', () => {
    expect(() => masks.and('x')).toThrow(
      "masks.and: mask must be a tensor or nested arrays of numbers, got mask='x'.",
    );
    expect(() => masks.and(tf.input({ shape: [3] }) as unknown as tf.Tensor)).toThrow(
      /masks\.and: mask must hold numbers, got a symbolic tensor\..*layers\.andMask\(\)/,
    );
    expect(() => masks.toBool(tf.tensor1d(['a']))).toThrow(
      'masks.toBool: mask must be float32, int32 or bool, got dtype=string.',
    );
  });
});
