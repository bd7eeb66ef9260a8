/** What one call of attention works on: written by the host, read by every part of the kernel. */

/**
 * A record in scratch memory, so that functions take one pointer instead of fifty numbers. Every field has four bytes;
 * the host writes them in this order (`src/kernels/wasm/attention.ts`), the last group is filled in here.
 *
 * Strides of bias and mask are in elements, 0 along an axis that is broadcast.
 */
@unmanaged
export class AttentionCall {
  /** [B, T, N, H] */
  query: usize;
  /** [B, C, K, H], of which the first S rows are in use. */
  key: usize;
  /** [B, C, K, Hv] */
  value: usize;
  /** float32, broadcast to [B, N, T, S]; 0 for none. */
  bias: usize;
  /** Bytes, nonzero = may attend, broadcast to [B, N, T, S]; 0 for none. */
  mask: usize;
  /** [B, T, N, Hv] */
  output: usize;
  /** [B, N, T, 2]: the largest score of each row, and 1/Σ exp(score − largest), 0 where a row sees no key. */
  statistics: usize;
  /** Gradients, of the shapes of what they are of. `dBias` 0 for none. */
  dOutput: usize;
  dQuery: usize;
  dKey: usize;
  dValue: usize;
  dBias: usize;
  /** Memory of the size that `attentionForwardScratch` or `attentionBackwardScratch` says; a multiple of 16. */
  scratch: usize;

  B: i32;
  T: i32;
  S: i32;
  C: i32;
  N: i32;
  K: i32;
  H: i32;
  Hv: i32;

  biasB: i32;
  biasN: i32;
  biasT: i32;
  biasS: i32;
  maskB: i32;
  maskN: i32;
  maskT: i32;
  maskS: i32;

  /** Query i sees keys i + shiftFirst ≤ j < i + shiftLast: causality, offset and window. */
  shiftFirst: i32;
  shiftLast: i32;

  /** Dropout keeps a weight where its 24 random bits are ≥ threshold; 0 for none. */
  threshold: i32;
  seedLow: i32;
  seedHigh: i32;
  callLow: i32;
  callHigh: i32;

  /** Keys in a block, a multiple of 8. */
  keyBlock: i32;
  /** Query rows in a block of the backward pass, a multiple of 4. */
  rowBlock: i32;

  /** Factor of the scores. */
  scale: f32;
  /** 0 for none. */
  softCap: f32;
  /** 1 / (1 − rate) */
  keep: f32;

  // From here on: where the work stands. Rows are the T queries of each of the G heads that share a key head, head
  // after head, so that grouped queries fill a tile of four rows also when there is one query a head.

  batch: i32;
  keyHead: i32;
  /** G·T */
  rows: i32;
  /** First key of the block, and how many there are. */
  firstKey: i32;
  keys: i32;
  /** Columns of the block that a tile sees, multiples of 8; both 0 when none. */
  from: i32;
  to: i32;
}

/** Head of a row. */
// @inline
export function headOf(c: AttentionCall, row: i32): i32 {
  return c.keyHead * (c.N / c.K) + row / c.T;
}

/** Where a row lies in a tensor [B, T, N, size]. */
// @inline
export function rowAt(c: AttentionCall, tensor: usize, row: i32, size: i32): usize {
  const i = row % c.T;
  const index = (<usize>(c.batch * c.T + i) * c.N + headOf(c, row)) * size;
  return tensor + (index << 2);
}

/** Where key (or value) `j` of the current key head lies in a tensor [B, C, K, size]. */
// @inline
export function keyAt(c: AttentionCall, tensor: usize, j: i32, size: i32): usize {
  return tensor + (((<usize>(c.batch * c.C + j) * c.K + c.keyHead) * size) << 2);
}

/** Index of a row in [B, N, T]. */
// @inline
export function rowIndex(c: AttentionCall, row: i32): usize {
  return <usize>(c.batch * c.K + c.keyHead) * c.rows + row;
}

/** Bytes from one row of scores to the next. Not a power of two: columns are read too, and would share cache sets. */
// @inline
export function scoreStep(c: AttentionCall): usize {
  return (<usize>(c.keyBlock + 16)) << 2;
}

/** A size rounded up to whole panels of 8. */
// @inline
export function padded(size: i32): i32 {
  return (size + 7) & ~7;
}
