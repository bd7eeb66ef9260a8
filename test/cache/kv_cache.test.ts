import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import type { CachedKeys } from '../../src/cache/cache_slot.js';
import { KVCache } from '../../src/cache/kv_cache.js';
import { randomTensor } from '../support/check_directional.js';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';

const layer = {};
const other = {};

/** Keys [2, T, 3, 5] and values [2, T, 3, 7]. */
const keys = (T: number, seed = 1): tf.Tensor => randomTensor([2, T, 3, 5], seed);
const values = (T: number, seed = 2): tf.Tensor => randomTensor([2, T, 3, 7], seed);

/** The keys in use: buffers have room for more. */
const keysOf = ({ key, length }: CachedKeys): tf.Tensor => tf.slice(key, [0, 0], [-1, length]);
const valuesOf = ({ value, length }: CachedKeys): tf.Tensor =>
  tf.slice(value, [0, 0], [-1, length]);

describeBackends('KVCache', (backend) => {
  /** Tokens that there is room for where so many are in use. */
  const room = (used: number): number => (backend.startsWith('wasm-') ? 64 : used);

  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  test('appends, and says where the new tokens start', () => {
    const cache = new KVCache();
    expect([cache.length, cache.batchSize, cache.bytes]).toEqual([0, null, 0]);
    const first = cache.append(layer, keys(4), values(4));
    expectIdentical(keysOf(first), keys(4));
    expect([first.offset, first.length, first.mask, cache.length]).toEqual([0, 4, undefined, 4]);
    const second = cache.append(layer, keys(2, 3), values(2, 4));
    expectIdentical(keysOf(second), tf.concat([keys(4), keys(2, 3)], 1));
    expectIdentical(valuesOf(second), tf.concat([values(4), values(2, 4)], 1));
    expect([second.offset, cache.length, cache.batchSize]).toEqual([4, 6, 2]);
    expect(cache.bytes).toBe(4 * 2 * room(6) * 3 * (5 + 7));
    cache.dispose();
  });

  test('counts the tokens that all of its layers have seen', () => {
    const cache = new KVCache([layer, other]);
    expect([cache.has(layer), cache.has({})]).toEqual([true, false]);
    cache.append(layer, keys(3), values(3));
    expect([cache.length, cache.lengthOf(layer), cache.lengthOf(other)]).toEqual([0, 3, 0]);
    cache.append(other, keys(3), values(3));
    expect(cache.length).toBe(3);
    cache.dispose();
  });

  test('what it holds survives the tidy of the call, and nothing else does', () => {
    const cache = new KVCache();
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      cache.append(layer, keys(3), values(3), { mask: tf.ones([2, 3]) });
    });
    expect(tf.memory().numTensors).toBe(before + 3);
    tf.tidy(() => {
      expectIdentical(
        keysOf(cache.append(layer, keys(1, 5), values(1, 6))),
        tf.concat([keys(3), keys(1, 5)], 1),
      );
    });
    expect(tf.memory().numTensors).toBe(before + 3);
    cache.dispose();
    cache.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('a mask on either side makes the other side all real; nonzero is real', () => {
    const cache = new KVCache();
    cache.append(layer, keys(2), values(2));
    const marked = cache.append(layer, keys(2), values(2), {
      mask: tf.tensor2d([
        [0, 0.5],
        [-3, 0],
      ]),
    });
    expect(marked.mask!.dtype).toBe('bool');
    expectIdentical(marked.mask!, [
      [1, 1, 0, 1],
      [1, 1, 1, 0],
    ]);
    expectIdentical(cache.append(layer, keys(1), values(1)).mask!, [
      [1, 1, 0, 1, 1],
      [1, 1, 1, 0, 1],
    ]);
    cache.dispose();
  });

  test('a window keeps what later queries can reach, and shows the new queries what they can', () => {
    const cache = new KVCache();
    const all = { key: keys(9), value: values(9) };
    const part = (x: tf.Tensor, from: number, count: number): tf.Tensor =>
      tf.slice(x, [0, from], [-1, count]);
    for (const [from, count] of [
      [0, 5],
      [5, 1],
      [6, 3],
    ]) {
      const got = cache.append(layer, part(all.key, from, count), part(all.value, from, count), {
        window: 3,
        mask: tf.ones([2, count]),
      });
      const start = from - got.offset;
      expectIdentical(keysOf(got), part(all.key, start, from + count - start));
      expect(got.mask!.shape).toEqual([2, from + count - start]);
      expect(got.offset).toBeGreaterThanOrEqual(Math.min(from, 2)); // a query sees two keys before it
    }
    const size = room(3);
    expect([cache.length, cache.bytes]).toEqual([9, 4 * 2 * size * 3 * 12 + 2 * size]);
    expect([cache.canTrim(9), cache.canTrim(8), cache.canTrim(0)]).toEqual([true, false, true]);
    expect(() => cache.trim(8)).toThrow(/KVCache\.trim: a window has dropped .* of 9 .* length=8/);
    cache.trim(0);
    expect([cache.length, cache.bytes]).toEqual([0, 0]);
    cache.dispose();
  });

  test('trim goes back', () => {
    const cache = new KVCache();
    cache.append(layer, keys(5), values(5), { mask: tf.ones([2, 5]) });
    cache.recordTokens([
      [1, 2, 3, 4, 5],
      [-1, -1, 6, 7, 8],
    ]);
    cache.trim(2);
    expect(cache.tokens).toEqual([
      [1, 2],
      [-1, -1],
    ]);
    const got = cache.append(layer, keys(1, 9), values(1, 9));
    const { mask, offset } = got;
    expectIdentical(keysOf(got), tf.concat([tf.slice(keys(5), [0, 0], [-1, 2]), keys(1, 9)], 1));
    expect([mask!.shape, offset]).toEqual([[2, 3], 2]);
    expect(() => cache.trim(4)).toThrow('KVCache.trim: length must be an integer between 0 and 3');
    expect(() => cache.trim(-1)).toThrow('KVCache.trim: length must be');
    cache.dispose();
  });

  test('trim to the common length makes layers agree again after a call that failed halfway', () => {
    const cache = new KVCache([layer, other]);
    for (const owner of [layer, other]) cache.append(owner, keys(2), values(2));
    cache.append(layer, keys(3), values(3));
    cache.trim(cache.length);
    expect([cache.lengthOf(layer), cache.lengthOf(other)]).toEqual([2, 2]);
    cache.dispose();
  });

  test('a fork goes its own way', () => {
    const cache = new KVCache([layer]);
    cache.append(layer, keys(2), values(2));
    cache.recordTokens([
      [1, 2],
      [3, 4],
    ]);
    const twin = cache.fork();
    twin.append(layer, keys(1, 5), values(1, 6));
    twin.recordTokens([[5], [6]]);
    expect([cache.length, twin.length]).toEqual([2, 3]);
    expect([cache.tokens, twin.tokens]).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
      [
        [1, 2, 5],
        [3, 4, 6],
      ],
    ]);
    cache.dispose();
    expectIdentical(
      keysOf(twin.append(layer, keys(1, 7), values(1, 8))),
      tf.concat([keys(2), keys(1, 5), keys(1, 7)], 1),
    );
    twin.dispose();
  });

  test('rows can be chosen anew', () => {
    const cache = new KVCache();
    const mask = tf.tensor2d([
      [1, 0],
      [0, 1],
    ]);
    cache.append(layer, keys(2), values(2), { mask });
    cache.recordTokens([
      [1, 2],
      [3, 4],
    ]);
    cache.selectRows([1, 1, 0]);
    expect(cache.batchSize).toBe(3);
    expect(cache.tokens).toEqual([
      [3, 4],
      [3, 4],
      [1, 2],
    ]);
    const three = (x: tf.Tensor): tf.Tensor => tf.gather(x, [0, 1, 0]);
    const got = cache.append(layer, three(keys(1)), three(values(1)));
    expectClose(tf.slice(got.key, [0, 0], [-1, 2]), tf.gather(keys(2), [1, 1, 0]));
    expectIdentical(got.mask!, [
      [0, 1, 1],
      [0, 1, 1],
      [1, 0, 1],
    ]);
    expect(() => cache.selectRows([3])).toThrow('KVCache.selectRows: row must be an integer');
    cache.dispose();
  });

  test('any course of appending, going back, forking and choosing rows holds what plain arrays would', () => {
    /** A batch of rows, each a list of [key, value, real]; keys and values are numbers of their own. */
    type Rows = [number, number, number][][];
    let next = 1;
    const course = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('append'), count: fc.integer({ min: 1, max: 90 }) }),
        fc.record({ kind: fc.constant('append one'), count: fc.integer({ min: 1, max: 40 }) }),
        fc.record({ kind: fc.constant('trim'), count: fc.nat(200) }),
        fc.record({ kind: fc.constant('fork'), count: fc.nat(1) }),
        fc.record({ kind: fc.constant('rows'), count: fc.nat(3) }),
      ),
      { maxLength: 8 },
    );
    const window = fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined });
    const capacity = fc.option(fc.integer({ min: 1, max: 99 }), { nil: undefined });
    const run = (
      steps: { kind: string; count: number }[],
      W?: number,
      C?: number,
      masks = false,
    ) => {
      const cache = { at: 0, all: [new KVCache([layer], C === undefined ? {} : { capacity: C })] };
      let expected: Rows[] = [[[], []]];
      const append = (T: number): void => {
        const kv = cache.all[cache.at];
        const rows = expected[cache.at];
        const from = rows[0].length;
        for (const row of rows)
          for (let t = 0; t < T; t++) row.push([++next, -next, masks && next % 3 === 0 ? 0 : 1]);
        const grid = (place: number) =>
          tf.tensor4d(
            rows.flatMap((row) => row.slice(from).map((token) => token[place])),
            [rows.length, T, 1, 1],
          );
        tf.tidy(() => {
          const mask = masks && next % 2 === 0 ? tf.reshape(grid(2), [rows.length, T]) : undefined;
          if (!mask) rows.forEach((row) => row.slice(from).forEach((token) => (token[2] = 1)));
          const got = kv.append(layer, grid(0), grid(1), { mask, window: W });
          const start = from - got.offset;
          expect([got.length, got.offset]).toEqual([from + T - start, from - start]);
          // A first query needs the keys of its window before it; all there are without one.
          expect(start).toBeLessThanOrEqual(W === undefined ? 0 : Math.max(0, from - W + 1));
          const held = rows.map((row) => row.slice(start));
          const column = (place: number) => held.map((row) => row.map((token) => token[place]));
          expectIdentical(tf.squeeze(keysOf(got), [2, 3]), column(0));
          expectIdentical(tf.squeeze(valuesOf(got), [2, 3]), column(1));
          if (got.mask) expectIdentical(got.mask, column(2));
          else expect(column(2).flat()).not.toContain(0);
        });
      };
      append(2);
      for (const { kind, count } of steps) {
        const kv = cache.all[cache.at];
        if (kind === 'append') append(count);
        else if (kind === 'append one') for (let i = 0; i < count; i++) append(1);
        else if (kind === 'trim') {
          const length = Math.min(count, kv.length);
          if (length === 0 || !kv.canTrim(length)) continue;
          kv.trim(length);
          expected[cache.at] = expected[cache.at].map((row) => row.slice(0, length));
        } else if (kind === 'fork') {
          cache.all.push(kv.fork());
          expected.push(expected[cache.at].map((row) => row.map((token) => [...token])));
          if (count === 1) cache.at = cache.all.length - 1;
        } else {
          const rows = Array.from({ length: count + 1 }, (_, i) => (i * 3 + count) % kv.batchSize!);
          kv.selectRows(rows);
          const old = expected[cache.at];
          expected[cache.at] = rows.map((row) => old[row].map((token) => [...token]));
        }
      }
      // Forks that were left still hold what they held.
      cache.all.forEach((_, i) => ((cache.at = i), append(1)));
      cache.all.forEach((kv) => kv.dispose());
      expected = [];
    };
    const before = tf.memory().numTensors;
    fc.assert(fc.property(course, window, capacity, fc.boolean(), run), { numRuns: 25, seed: 7 });
    expect(tf.memory().numTensors).toBe(before);
  });

  test('leaves nothing behind', () => {
    expectNoLeak(() => {
      const cache = new KVCache();
      tf.tidy(() => {
        cache.append(layer, keys(4), values(4), { window: 3, mask: tf.ones([2, 4]) });
      });
      const twin = cache.fork();
      tf.tidy(() => {
        cache.selectRows([0, 0]);
        twin.append(layer, keys(2), values(2), { window: 3 });
      });
      cache.dispose();
      twin.dispose();
      return [];
    });
  });

  test('keys of another sequence are made once and go with the rows', () => {
    const before = tf.memory().numTensors;
    const cache = new KVCache();
    const made: number[] = [];
    const make = () => (made.push(1), { key: keys(3), value: values(3) }) as never;
    tf.tidy(() => {
      cache.append(layer, keys(1), values(1));
      cache.crossKeys(other, make);
    });
    const own = cache.bytes - 4 * 2 * 3 * 36;
    expect(own).toBe(4 * 2 * room(1) * 36);
    const twin = cache.fork();
    twin.selectRows([1]);
    tf.tidy(() => {
      expectIdentical(cache.crossKeys(other, make).key, keys(3));
      expectIdentical(twin.crossKeys(other, make).value, tf.slice(values(3), [1], [1]));
    });
    expect([made.length, twin.bytes]).toEqual([1, cache.bytes / 2]);
    cache.dispose();
    twin.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('says what is wrong', () => {
    const cache = new KVCache();
    cache.append(layer, keys(1), values(1));
    const three = [randomTensor([3, 1, 3, 5], 1), randomTensor([3, 1, 3, 7], 1)];
    expect(() => cache.append(layer, three[0], three[1])).toThrow(
      'KVCache: holds 2 rows, got key=[3,1,3,5]. Make a new cache for another batch.',
    );
    expect(cache.isDisposed).toBe(false);
    cache.dispose();
    expect(cache.isDisposed).toBe(true);
    for (const use of [
      () => cache.append(layer, keys(1), values(1)),
      () => cache.trim(0),
      () => cache.fork(),
      () => cache.selectRows([0]),
    ]) {
      expect(use).toThrow(
        'KVCache: already disposed of. Make a new one with generation.createCache(model).',
      );
    }
  });
});
