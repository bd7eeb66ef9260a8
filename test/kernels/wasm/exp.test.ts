import { describeKernels } from '../../support/backends.js';
import { mapArray, spreadFloats, worstUlps } from '../../support/wasm_array.js';

/** Below this the result is 0. */
const LEAST = Math.log(2 ** -125.5);
/** e to this is the largest float32; the next number gives ∞. */
const MOST = 88.72283172607422;

describeKernels('exp of the kernels', () => {
  test('is at most 1.25 ulp off wherever it is not flushed to 0', () => {
    const x = spreadFloats(7993, 2 ** -30, 88.7228).filter((value) => value > LEAST + 1e-4);
    expect(x.length).toBeGreaterThan(50_000);
    expect(worstUlps(x, mapArray('expArray', x), Math.exp).ulps).toBeLessThan(1.25);
  });

  test('is exactly 1 at ±0 and within half an ulp of it', () => {
    expect([...mapArray('expArray', [0, -0, 1e-45, -1e-45, 2 ** -26, -(2 ** -27)])]).toEqual(
      Array(6).fill(1),
    );
  });

  test('overflows where it has to', () => {
    const [below, above, ...rest] = mapArray('expArray', [
      ...[MOST, 88.72283935546875, 88.8, 89, 1e3, 3.4e38, Infinity],
    ]);
    expect(below).toBeGreaterThan(3.4025e38);
    expect(below).toBeLessThan(Infinity);
    expect([above, ...rest]).toEqual(Array(6).fill(Infinity));
  });

  test('is exactly 0 below 2^−125.5, and no result is denormal', () => {
    const flushed = [LEAST - 1e-4, -87, -87.4, -87.6, -88, -104, -1000, -1e9, -3.4e38, -Infinity];
    expect([...mapArray('expArray', flushed)]).toEqual(flushed.map(() => 0));
    expect(mapArray('expArray', [LEAST + 1e-4])[0]).toBeGreaterThan(1.66e-38);
  });

  test('NaN stays NaN in its lane alone', () => {
    expect([...mapArray('expArray', [0, NaN, 0, 0, 0, 0, NaN])]).toEqual([1, NaN, 1, 1, 1, 1, NaN]);
  });

  test.each([0, 1, 2, 3, 4, 5, 7, 8, 13])('%i numbers, and nothing behind them', (size) => {
    const x = Float32Array.from({ length: size }, (_, i) => i - size / 2);
    const y = mapArray('expArray', x);
    expect(y.length).toBe(size);
    expect(worstUlps(x, y, Math.exp).ulps).toBeLessThan(1.25);
  });
});
