import { greedy, sample, stepUniforms } from '../../src/generation/sampler.js';
import { chiSquare } from './chi_square.js';

const log = (...p: number[]): Float32Array => Float32Array.from(p, Math.log);

describe('greedy', () => {
  test('takes the highest, of equal ones the lowest id', () => {
    expect(greedy(Float32Array.of(1, 3, 3, 2))).toBe(1);
    expect(greedy(Float32Array.of(-5, -Infinity, -4))).toBe(2);
    expect(greedy(Float32Array.of(-Infinity, -Infinity))).toBe(-1);
  });
});

describe('sample', () => {
  test('inverts the cumulative distribution', () => {
    const scores = log(0.25, 0.5, 0.25);
    expect([0, 0.24, 0.26, 0.5, 0.74, 0.76, 1 - 2 ** -53].map((u) => sample(scores, u))).toEqual([
      0, 0, 1, 1, 1, 2, 2,
    ]);
  });

  test('never takes a removed token, not even at the ends', () => {
    const scores = Float32Array.of(-Infinity, 0, -Infinity, 0, -Infinity);
    expect([0, 0.49, 0.51, 1 - 2 ** -53].map((u) => sample(scores, u))).toEqual([1, 1, 3, 3]);
    expect(sample(Float32Array.of(-Infinity), 0)).toBe(-1);
  });

  test('does not overflow or underflow', () => {
    expect(sample(Float32Array.of(3e38, -3e38), 0.9)).toBe(0);
    expect(sample(Float32Array.of(-3e38, -3e38), 0.9)).toBe(1);
  });

  test('20,000 draws have the distribution: chi-square, p > 1e-4', () => {
    const p = [0.4, 0.03, 0.2, 0.001, 0.3, 0.009, 0.06];
    const counts = new Array<number>(7).fill(0);
    for (let step = 0; step < 200; step++) {
      for (const u of stepUniforms(17, step, 100)) counts[sample(log(...p), u)]++;
    }
    expect(chiSquare(counts, p)).toBeLessThan(27.856); // 6 degrees of freedom
  });
});

describe('stepUniforms', () => {
  test('row b has the same number however many rows there are', () => {
    expect(stepUniforms(5, 7, 2)).toEqual(stepUniforms(5, 7, 11).slice(0, 2));
    expect(stepUniforms(5, 8, 1)).not.toEqual(stepUniforms(5, 7, 1));
    expect(stepUniforms(6, 7, 1)).not.toEqual(stepUniforms(5, 7, 1));
  });

  test('is uniform in [0, 1), in 64 bins and in its low bits', () => {
    const numbers = stepUniforms(1, 0, 20_000);
    const bins = new Array<number>(64).fill(0);
    const low = new Array<number>(64).fill(0);
    for (const u of numbers) {
      bins[Math.floor(u * 64)]++;
      low[Math.floor((u * 2 ** 40) % 64)]++;
    }
    const even = bins.map(() => 1 / 64);
    expect(chiSquare(bins, even)).toBeLessThan(113.6); // 63 degrees of freedom, p > 1e-4
    expect(chiSquare(low, even)).toBeLessThan(113.6);
  });
});
