import { philox, uniform, normal, RandomStream, drawSeed } from '../../src/util/random.js';

describe('philox', () => {
  // Known answers of the Random123 distribution (kat_vectors, philox4x32 with 10 rounds).
  test('gives the published words for counter 0 and key 0', () => {
    expect(Array.from(philox(0, 0, 4), (w) => w.toString(16))).toEqual([
      '6627e8d5',
      'e169c58d',
      'bc57ac4c',
      '9b00dbd8',
    ]);
  });
  test('a shorter call is a prefix of a longer one, and calls differ', () => {
    expect(Array.from(philox(7, 3, 5))).toEqual(Array.from(philox(7, 3, 13).subarray(0, 5)));
    expect(philox(7, 3, 1)[0]).not.toBe(philox(7, 4, 1)[0]);
    expect(philox(7, 3, 1)[0]).not.toBe(philox(8, 3, 1)[0]);
  });
  test('seeds beyond 32 bits use both key words', () => {
    expect(philox(2 ** 32 + 5, 0, 1)[0]).not.toBe(philox(5, 0, 1)[0]);
  });
});

test('uniform numbers have mean 1/2 and variance 1/12, normal ones 0 and 1', () => {
  const n = 100_000;
  const moments = (x: Float32Array) => {
    const mean = x.reduce((s, v) => s + v, 0) / n;
    return [mean, x.reduce((s, v) => s + (v - mean) ** 2, 0) / n];
  };
  const [m, v] = moments(uniform(1, 2, n));
  expect(Math.abs(m - 0.5)).toBeLessThan(0.005);
  expect(Math.abs(v - 1 / 12)).toBeLessThan(0.002);
  const [mn, vn] = moments(normal(1, 2, n));
  expect(Math.abs(mn)).toBeLessThan(0.015);
  expect(Math.abs(vn - 1)).toBeLessThan(0.03);
});

test('a stream counts its calls and goes on from a stored state', () => {
  const stream = new RandomStream(11);
  expect([stream.next(), stream.next()]).toEqual([
    { seed: 11, counter: 0 },
    { seed: 11, counter: 1 },
  ]);
  const again = new RandomStream(11);
  again.counter = 2;
  expect(again.next()).toEqual(stream.next());
});

test('a stream goes on from the state of another one, seed included', () => {
  const [stream, other] = [new RandomStream(11), new RandomStream()];
  stream.next();
  other.restore({ seed: stream.seed, counter: stream.counter });
  expect(other.next()).toEqual({ seed: 11, counter: 1 });
  expect(() => other.restore({ seed: -1, counter: 0 })).toThrow(
    'RandomStream: seed must be an integer',
  );
});

test('bad seeds are refused by name', () => {
  expect(() => drawSeed('dropout', -1)).toThrow('dropout: seed must be a non-negative integer');
  expect(() => new RandomStream(1.5)).toThrow('seed must be an integer');
});
