import { describeKernels } from '../../support/backends.js';
import { mapArray, spreadFloats, worstUlps } from '../../support/wasm_array.js';

describeKernels('tanh of the kernels', () => {
  test('is at most 1.25 ulp off, denormals included', () => {
    const x = spreadFloats(24_989, 1e-45, 20);
    expect(x.length).toBeGreaterThan(80_000);
    expect(worstUlps(x, mapArray('tanhArray', x), Math.tanh).ulps).toBeLessThan(1.25);
  });

  test('is odd to the last bit, zeros included, and never beyond ±1', () => {
    const x = spreadFloats(199_999, 1e-45, 3.4e38);
    const y = mapArray('tanhArray', x);
    for (let i = 0; i < x.length; i += 2) {
      if (y[i] !== -y[i + 1] || !(y[i] <= 1))
        throw new Error(`tanh(±${x[i]}) = ${y[i]}, ${y[i + 1]}`);
    }
    expect(mapArray('tanhArray', [0, -0, 1e-45, -1e-45])).toEqual(
      Float32Array.of(0, -0, 1e-45, -1e-45),
    );
  });

  test('is ±1 from 9.02 on, at ±∞ too; NaN stays NaN', () => {
    const y = mapArray('tanhArray', [9.02, -9.02, 9.1, 1e30, -1e30, Infinity, -Infinity, NaN]);
    expect([...y]).toEqual([1, -1, 1, 1, -1, 1, -1, NaN]);
  });

  test.each([1, 2, 3, 5, 7])('%i numbers', (size) => {
    const x = Float32Array.from({ length: size }, (_, i) => i - size / 2);
    expect(worstUlps(x, mapArray('tanhArray', x), Math.tanh).ulps).toBeLessThan(1.25);
  });
});
