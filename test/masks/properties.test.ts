/** Every mask against its definition, over random sizes. */
import * as fc from 'fast-check';
import * as tf from '@tensorflow/tfjs';
import * as masks from '../../src/masks/index.js';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { expectIdentical } from '../support/expect_close.js';

/** Compares a mask with a predicate of (batch row, query, key). */
function expectMask(
  mask: tf.Tensor,
  [B, T, S]: [number, number, number],
  visible: (b: number, i: number, j: number) => boolean,
): void {
  const values: number[] = [];
  for (let b = 0; b < B; b++)
    for (let i = 0; i < T; i++) for (let j = 0; j < S; j++) values.push(visible(b, i, j) ? 1 : 0);
  expect(mask.dtype).toBe('bool');
  expectIdentical(mask, { shape: [B, 1, T, S], values });
}

const size = fc.integer({ min: 1, max: 13 });
const offset = fc.integer({ min: 0, max: 17 });
const ids = (rows: number, columns: number) =>
  fc.array(fc.array(fc.integer({ min: -2, max: 3 }), { minLength: columns, maxLength: columns }), {
    minLength: rows,
    maxLength: rows,
  });

function check<T>(arbitrary: fc.Arbitrary<T>, body: (value: T) => void): void {
  fc.assert(
    fc.property(arbitrary, (value) => tf.tidy(() => body(value))),
    { numRuns: 40 },
  );
}

describeBackends('masks by their definition', () => {
  test('causal: j ≤ i + offset', () => {
    check(fc.tuple(size, size, offset), ([T, S, o]) => {
      expectMask(masks.causal(T, S, o), [1, T, S], (_, i, j) => j <= i + o);
    });
    tf.tidy(() => expectMask(masks.causal(7), [1, 7, 7], (_, i, j) => j <= i));
  });

  test('slidingWindow: |i + offset − j| < window', () => {
    check(fc.tuple(size, size, size, offset), ([T, S, W, o]) => {
      expectMask(masks.slidingWindow(T, S, W, o), [1, T, S], (_, i, j) => Math.abs(i + o - j) < W);
    });
  });

  test('padding: tokenIds[b, j] ≠ padId, from int32, float32 and arrays', () => {
    const cases = fc
      .tuple(size, size)
      .chain(([B, S]) => fc.tuple(ids(B, S), fc.integer({ min: -2, max: 3 })));
    check(cases, ([rows, padId]) => {
      const dims: [number, number, number] = [rows.length, 1, rows[0].length];
      const visible = (b: number, _: number, j: number) => rows[b][j] !== padId;
      expectMask(masks.padding(rows, padId), dims, visible);
      expectMask(masks.padding(tf.tensor2d(rows, undefined, 'int32'), padId), dims, visible);
      expectMask(masks.padding(tf.tensor2d(rows), padId), dims, visible);
    });
  });

  test('prefix: j ≤ i or j < prefixLengths[b]', () => {
    check(fc.tuple(fc.array(fc.nat(15), { minLength: 1, maxLength: 5 }), size), ([lengths, T]) => {
      const visible = (b: number, i: number, j: number) => j <= i || j < lengths[b];
      expectMask(masks.prefix(lengths, T), [lengths.length, T, T], visible);
      expectMask(masks.prefix(tf.tensor1d(lengths, 'int32'), T), [lengths.length, T, T], visible);
      expectMask(masks.prefix(tf.tensor1d(lengths), T), [lengths.length, T, T], visible);
    });
  });

  test('segments: queryIds[b, i] = keyIds[b, j]', () => {
    const cases = fc.tuple(size, size, size).chain(([B, T, S]) => fc.tuple(ids(B, T), ids(B, S)));
    check(cases, ([query, key]) => {
      const [B, T, S] = [query.length, query[0].length, key[0].length];
      expectMask(masks.segments(query, key), [B, T, S], (b, i, j) => query[b][i] === key[b][j]);
      const own = masks.segments(tf.tensor2d(query, undefined, 'int32'));
      expectMask(own, [B, T, T], (b, i, j) => query[b][i] === query[b][j]);
      const mixed = masks.segments(tf.tensor2d(query), tf.tensor2d(key, undefined, 'int32'));
      expectMask(mixed, [B, T, S], (b, i, j) => query[b][i] === key[b][j]);
    });
  });

  test('integer ids are told apart exactly, next to the largest', () => {
    tf.tidy(() => {
      const largest = 2 ** 31 - 1; // float32 cannot tell it from the one before
      const rows = tf.tensor2d([[largest, largest - 1, 0, -largest]], undefined, 'int32');
      expectIdentical(masks.padding(rows, largest), [[[[0, 1, 1, 1]]]]);
      const same = (i: number, j: number) => (i === j ? 1 : 0);
      expectIdentical(masks.segments(rows), [
        [[0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => same(i, j)))],
      ]);
    });
  });

  test('no tensor is left behind', () => {
    const tokens = tf.tensor2d([[1, 2, 0]], undefined, 'int32');
    const floats = tf.tensor2d([[1, 0.5, 0]]);
    expectNoLeak(() => masks.padding(tokens));
    expectNoLeak(() => masks.padding([[1, 2, 0]]));
    expectNoLeak(() => masks.causal(5, 7, 2));
    expectNoLeak(() => masks.slidingWindow(5, 7, 2));
    expectNoLeak(() => masks.prefix([1, 2], 3));
    expectNoLeak(() => masks.segments(tokens));
    expectNoLeak(() => masks.and(floats, [1, 0, 1], tokens));
    expectNoLeak(() => masks.or(floats));
    expectNoLeak(() => masks.toBias(floats));
    expectNoLeak(() => masks.toBool(floats));
    expectIdentical(tokens, [[1, 2, 0]]); // inputs are still there
    tf.dispose([tokens, floats]);
  });
});
