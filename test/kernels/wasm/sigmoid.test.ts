import { describeKernels } from '../../support/backends.js';
import { mapArray, spreadFloats, worstUlps } from '../../support/wasm_array.js';

const truth = (x: number): number => 1 / (1 + Math.exp(-x));

describeKernels('sigmoid of the kernels', () => {
  test('is at most 2.5 ulp off', () => {
    const x = spreadFloats(9973, 2 ** -30, 87);
    expect(worstUlps(x, mapArray('sigmoidArray', x), truth).ulps).toBeLessThan(2.5);
  });

  test('is ½ at 0 and goes to 0 and 1', () => {
    const y = mapArray('sigmoidArray', [0, -0, 20, -89, 1e30, -1e30, Infinity, -Infinity, NaN]);
    expect([...y]).toEqual([0.5, 0.5, 1, 0, 1, 0, 1, 0, NaN]);
  });
});
