import { alibiBias, alibiSlopes } from '../../src/ops/alibi.js';
import { describeBackends } from '../support/backends.js';
import { expectClose } from '../support/expect_close.js';

describe('alibiSlopes', () => {
  test('a power of two: a geometric sequence that ends at 2^−max', () => {
    expect(alibiSlopes(8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((h) => 2 ** -h));
    expect(alibiSlopes(2, 12)).toEqual([2 ** -6, 2 ** -12]);
  });
  test('other numbers take every second slope of the power above', () => {
    // keras-hub's test: three heads, maximum 6
    const slopes = alibiSlopes(3, 6);
    [0.125, 0.015625, 0.35355338].forEach((slope, h) => expect(slopes[h]).toBeCloseTo(slope, 7));
    expect(alibiSlopes(14)[8]).toBeCloseTo(Math.SQRT1_2, 7);
  });
  test('bad input is named', () => {
    expect(() => alibiSlopes(0)).toThrow('alibiSlopes: numHeads must be an integer of at least 1');
  });
});

describeBackends('alibiBias', () => {
  test('falls with the distance, on both sides, counted from the offset', () => {
    const bias = alibiBias(2, 2, 4, { offset: 1, biasMax: 2 });
    expectClose(bias, [
      [
        [[-0.5, 0, -0.5, -1], [-1, -0.5, 0, -0.5]],
        [[-0.25, 0, -0.25, -0.5], [-0.5, -0.25, 0, -0.25]],
      ],
    ]); // prettier-ignore
  });
});
