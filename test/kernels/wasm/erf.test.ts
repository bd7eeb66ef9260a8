import { describeKernels } from '../../support/backends.js';
import { mapArray, spreadFloats, worstUlps } from '../../support/wasm_array.js';

/** In float64: the series e^(−x²)·Σ (2x²)ᵏ·x/(1·3·…·(2k + 1)) near 0, the continued fraction of erfc beyond. */
function erf(x: number): number {
  const a = Math.abs(x);
  if (a < 2.5) {
    let term = a;
    let sum = a;
    for (let k = 1; term > 1e-18 * sum; k++) {
      term *= (2 * a * a) / (2 * k + 1);
      sum += term;
    }
    return (Math.sign(x) * 2 * Math.exp(-a * a) * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let k = 60; k >= 1; k--) fraction = k / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
}

describeKernels('erf of the kernels', () => {
  test('is what tables say', () => {
    expect(erf(0.5)).toBeCloseTo(0.5204998778130465, 14);
    expect(erf(1)).toBeCloseTo(0.8427007929497149, 14);
    expect(erf(3)).toBeCloseTo(0.9999779095030014, 14);
    expect(mapArray('erfArray', [0.5, 1, 3])).toEqual(
      Float32Array.of(0.5204998778130465, 0.8427007929497149, 0.9999779095030014),
    );
  });

  test('is at most 1.4 ulp off', () => {
    const x = spreadFloats(39_989, 2 ** -120, 7);
    expect(x.length).toBeGreaterThan(50_000);
    expect(worstUlps(x, mapArray('erfArray', x), erf).ulps).toBeLessThan(1.4);
  });

  test('is odd to the last bit, zeros included, and never beyond ±1', () => {
    const x = spreadFloats(199_999, 1e-45, 3.4e38);
    const y = mapArray('erfArray', x);
    for (let i = 0; i < x.length; i += 2) {
      if (y[i] !== -y[i + 1] || !(y[i] <= 1))
        throw new Error(`erf(±${x[i]}) = ${y[i]}, ${y[i + 1]}`);
    }
    expect(mapArray('erfArray', [0, -0, 1e-45, -1e-45])).toEqual(
      Float32Array.of(0, -0, 1e-45, -1e-45),
    );
  });

  test('is ±1 from 3.93 on, at ±∞ too; NaN stays NaN', () => {
    const y = mapArray('erfArray', [3.93, -3.93, 3.96, 1e30, -1e30, Infinity, -Infinity, NaN]);
    expect([...y]).toEqual([1, -1, 1, 1, -1, 1, -1, NaN]);
  });

  test.each([1, 2, 3, 5, 7])('%i numbers', (size) => {
    const x = Float32Array.from({ length: size }, (_, i) => (i - size / 2) / 3);
    expect(worstUlps(x, mapArray('erfArray', x), erf).ulps).toBeLessThan(1.4);
  });
});
