/** The matrix product as other kernels call it. */
import type { KernelCall } from './kernel.js';

/** C = op(A)·op(B) (+ bias) for a batch of matrices that lie one after the other; pointers are byte offsets. */
export interface Product {
  /** A, [m, k], or [k, m] where transposed. */
  a: number;
  /** B, [k, n], or [n, k] where transposed. */
  b: number;
  /** Bytes from one row of B, as it lies, to the next; those of a row by default. */
  strideB?: number;
  /** C, [m, n]. */
  c: number;
  /** Rows of C. */
  m: number;
  /** Columns of C. */
  n: number;
  /** Length of the sums. */
  k: number;
  /** Whether A lies transposed, false by default. */
  transposeA?: boolean;
  /** Whether B lies transposed, false by default. */
  transposeB?: boolean;
  /** [n], added to each row; none by default. */
  bias?: number;
  /** How many products, 1 by default. */
  batch?: number;
  /** Whether all products take the same A. */
  sharedA?: boolean;
  /** Whether all products take the same B. */
  sharedB?: boolean;
}

/**
 * Computes products.
 *
 * @param call The kernel's call.
 * @param product What to multiply.
 * @throws Error when there is no memory for scratch.
 */
export function matmul(call: KernelCall, product: Product): void {
  const { transposeA = false, transposeB = false, sharedA = false, sharedB = false } = product;
  const { a, b, c, n, k, bias = 0 } = product;
  const { strideB = 4 * (transposeB ? k : n) } = product;
  // Rows of A that take the same B are one product: B is packed once.
  const joined = sharedB && !sharedA && !transposeA;
  const m = joined ? product.m * (product.batch ?? 1) : product.m;
  const batch = joined ? 1 : (product.batch ?? 1);
  const { exports } = call;
  call.withScratch(exports.matmulScratch(m, n, k) >>> 0, (scratch) =>
    exports.matmul(
      ...([a, 4 * (transposeA ? m : k), transposeA] as const),
      ...([b, strideB, transposeB] as const),
      ...([c, 4 * n, m, n, k, bias] as const),
      ...([batch, sharedA ? 0 : 4 * m * k, sharedB ? 0 : 4 * k * n, 4 * m * n, scratch] as const),
    ),
  );
}
