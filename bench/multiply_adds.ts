/**
 * Multiplying and adding as fast as one thread of WebAssembly can, in registers alone: what limits matrix products.
 * On Node 20 and 22; Node 24 runs this loop at a quarter of their speed, and matrix products as fast as they do.
 */
import { assemble } from './assembly.js';

/**
 * Sums that run side by side, each waiting for nothing but itself. 13 leave room for the two constants and one
 * intermediate in the 16 registers of x86-64. 6, 8, 10, 12 and 13 gave 28, 31, 37, 38 and 40 GFLOP/s of separate
 * products and sums, and 44, 59, 59, 59 and 59 of fused ones, on the core where docs/measurements.md was taken.
 */
const SUMS = 13;

const names = Array.from({ length: SUMS }, (_, i) => `s${i}`);

const loop = (relaxed: boolean): string => `
export function multiplyAdd(count: i32): f32 {
  const x = f32x4.splat(0.999);
  const y = f32x4.splat(0.001);
  ${names.map((s, i) => `let ${s} = f32x4.splat(${i});`).join(' ')}
  for (let i = 0; i < count; i++) {
    ${names.map((s) => `${s} = ${relaxed ? `f32x4.relaxed_madd(${s}, x, y)` : `f32x4.add(f32x4.mul(${s}, x), y)`};`).join('\n')}
  }
  return f32x4.extract_lane(${names.reduce((sum, s) => `f32x4.add(${sum}, ${s})`)}, 0);
}`;

const RUNS = 200_000;

/** Operations of one run of the loop. */
export const operations = RUNS * SUMS * 8;

/**
 * Makes the loop.
 *
 * @param relaxed Whether with fused multiply-add.
 * @returns Runs it: `operations` additions and multiplications.
 */
export async function multiplyAdds(relaxed: boolean): Promise<() => number> {
  const { multiplyAdd } = await assemble(loop(relaxed), { relaxed });
  return () => multiplyAdd(RUNS);
}
