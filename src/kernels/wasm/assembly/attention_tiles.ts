/** The product inside attention, four rows by panels of eight columns. */
import { madd } from './simd';

/**
 * C[4][8·panels] = Aᵀ·B, or added to C.
 *
 * Both operands are packed so that the inner loop reads them in order. Measured on one core of an EPYC (Zen 4) in V8,
 * sums of 64, GFLOP/s without and with fused multiply-add: as it is 44 and 53; with A as four rows of their own,
 * 38 and 52; unrolled by two, whether A is packed or not, 30 and 28 to 38: V8 then moves registers about. Six rows by
 * eight columns 28 and 25, four by twelve 28 and 26.
 *
 * @param a [depth][4]
 * @param depth Length of the sum.
 * @param b Panels [depth][8].
 * @param bStep Bytes from panel to panel.
 * @param c 4 rows of 8·panels numbers.
 * @param cStep Bytes from row to row of C.
 * @param add Whether C is added to, not overwritten.
 */
export function multiplyPanels(
  a: usize,
  depth: i32,
  b: usize,
  bStep: usize,
  panels: i32,
  c: usize,
  cStep: usize,
  add: bool,
): void {
  for (; panels > 0; panels--) {
    const to1 = c + cStep;
    const to2 = to1 + cStep;
    const to3 = to2 + cStep;
    let c00 = f32x4.splat(0);
    let c01 = c00;
    let c10 = c00;
    let c11 = c00;
    let c20 = c00;
    let c21 = c00;
    let c30 = c00;
    let c31 = c00;
    if (add) {
      c00 = v128.load(c);
      c01 = v128.load(c, 16);
      c10 = v128.load(to1);
      c11 = v128.load(to1, 16);
      c20 = v128.load(to2);
      c21 = v128.load(to2, 16);
      c30 = v128.load(to3);
      c31 = v128.load(to3, 16);
    }
    if (depth > 0) {
      let p = a;
      let q = b;
      const end = b + ((<usize>depth) << 5);
      do {
        const b0 = v128.load(q);
        const b1 = v128.load(q, 16);
        const a0 = v128.load_splat<f32>(p);
        c00 = madd(a0, b0, c00);
        c01 = madd(a0, b1, c01);
        const a1 = v128.load_splat<f32>(p, 4);
        c10 = madd(a1, b0, c10);
        c11 = madd(a1, b1, c11);
        const a2 = v128.load_splat<f32>(p, 8);
        c20 = madd(a2, b0, c20);
        c21 = madd(a2, b1, c21);
        const a3 = v128.load_splat<f32>(p, 12);
        c30 = madd(a3, b0, c30);
        c31 = madd(a3, b1, c31);
        p += 16;
        q += 32;
      } while (q != end);
    }
    v128.store(c, c00);
    v128.store(c, c01, 16);
    v128.store(to1, c10);
    v128.store(to1, c11, 16);
    v128.store(to2, c20);
    v128.store(to2, c21, 16);
    v128.store(to3, c30);
    v128.store(to3, c31, 16);
    b += bStep;
    c += 32;
  }
}
