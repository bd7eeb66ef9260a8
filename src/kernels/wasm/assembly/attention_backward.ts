/**
 * Gradients of attention, block by block. With P the weights, recomputed from the statistics that forward kept, Z what
 * dropout multiplied them by, and δ_i = Σ_c dO[i][c]·O[i][c]:
 *
 *     dV = (P∘Z)ᵀ dO    dS = P ∘ (dO·Vᵀ∘Z − δ)    dQ = scale·dS·K    dK = scale·dSᵀ·Q
 *
 * where dS, which is the gradient of the bias, is multiplied by the slope of the soft cap before it goes on to Q and K.
 * Blocks of keys are the outer loop, so that dK and dV of a block are summed in scratch over all rows of all the heads
 * that share it; dQ is summed where it lies.
 */
import { keyAt, padded, rowAt, rowIndex, scoreStep, AttentionCall } from './attention_call';
import { fillRows, packFour, packRow, packRows, packTransposed } from './attention_pack';
import {
  addBiasGradient,
  addRow,
  dotRow,
  dropoutRow,
  finishScores,
  seeColumns,
} from './attention_scores';
import { multiplyPanels } from './attention_tiles';
import { gradientsOfFour, setWeighing, WEIGHING_BYTES } from './attention_weights';

/** Where a call's scratch is used for what. */
@unmanaged
class Layout {
  /** Keys and values of the block, [panel][h][8 keys]. */
  keyColumns: usize;
  valueColumns: usize;
  /** Keys of the block, [panel][key][8]. */
  keyRows: usize;
  /** Scaled queries and gradients of the output of a block of rows, [tile][h][4 rows] … */
  queryLeft: usize;
  dOutputLeft: usize;
  /** … and [panel][row][8]. */
  queryRows: usize;
  dOutputRows: usize;
  /** Weights and gradients of the scores of a block of rows, [four keys][row][4]. */
  weights: usize;
  dScores: usize;
  /** Gradients of the block's keys and values, [key][padded size]. */
  dKeys: usize;
  dValues: usize;
  /** Rows of a tile: products q·k, products dO·v, slopes of the soft cap, what dropout multiplies by. */
  scores: usize;
  products: usize;
  slopes: usize;
  multipliers: usize;
  /** Gradients of the scores of a tile, [key][4 rows]. */
  left: usize;
  /** What the rows of a tile are weighed with. */
  weighings: usize;
  /** Four rows of dQ. */
  sums: usize;
  /** First column and the one behind the last that each tile of the block of rows sees. */
  spans: usize;
  /** δ of each row of the key head. */
  deltas: usize;
  end: usize;
}

/** Size of a `Layout`, rounded up. */
const LAYOUT_BYTES: usize = 96;

/** Fills in where everything lies, from `base` on. */
function layOut(
  l: Layout,
  base: usize,
  H: i32,
  Hv: i32,
  keyBlock: i32,
  rowBlock: i32,
  rows: i32,
): void {
  const keys = (<usize>keyBlock) << 2;
  const block = (<usize>rowBlock) << 2;
  const step = keys + 64;
  l.keyColumns = base;
  l.valueColumns = l.keyColumns + <usize>H * keys;
  l.keyRows = l.valueColumns + <usize>Hv * keys;
  l.queryLeft = l.keyRows + <usize>padded(H) * keys;
  l.dOutputLeft = l.queryLeft + <usize>H * block;
  l.queryRows = l.dOutputLeft + <usize>Hv * block;
  l.dOutputRows = l.queryRows + <usize>padded(H) * block;
  l.weights = l.dOutputRows + <usize>padded(Hv) * block;
  l.dScores = l.weights + <usize>rowBlock * keys;
  l.dKeys = l.dScores + <usize>rowBlock * keys;
  l.dValues = l.dKeys + <usize>padded(H) * keys;
  l.scores = l.dValues + <usize>padded(Hv) * keys;
  l.products = l.scores + 4 * step;
  l.slopes = l.products + 4 * step;
  l.multipliers = l.slopes + 4 * step;
  l.left = l.multipliers + 4 * step;
  l.weighings = l.left + 4 * keys;
  l.sums = l.weighings + 4 * WEIGHING_BYTES;
  l.spans = l.sums + ((<usize>padded(H)) << 4);
  l.deltas = l.spans + ((<usize>rowBlock) << 1);
  l.end = l.deltas + ((<usize>rows) << 2);
}

/**
 * Bytes of scratch that `attentionBackward` needs.
 *
 * @param room 96 bytes, overwritten.
 * @param rows G·T
 */
export function attentionBackwardScratch(
  room: usize,
  H: i32,
  Hv: i32,
  keyBlock: i32,
  rowBlock: i32,
  rows: i32,
): usize {
  const l = changetype<Layout>(room);
  layOut(l, LAYOUT_BYTES, H, Hv, keyBlock, rowBlock, rows);
  return l.end;
}

/**
 * Gradients of query, key, value and, where there is one, bias.
 *
 * @param call An `AttentionCall` with all fields set.
 */
export function attentionBackward(call: usize): void {
  const c = changetype<AttentionCall>(call);
  const l = changetype<Layout>(c.scratch);
  c.rows = (c.N / c.K) * c.T;
  layOut(l, c.scratch + LAYOUT_BYTES, c.H, c.Hv, c.keyBlock, c.rowBlock, c.rows);
  memory.fill(c.dQuery, 0, (<usize>c.B * c.T * c.N * c.H) << 2);
  memory.fill(c.dKey, 0, (<usize>c.B * c.C * c.K * c.H) << 2);
  memory.fill(c.dValue, 0, (<usize>c.B * c.C * c.K * c.Hv) << 2);
  if (c.dBias) memory.fill(c.dBias, 0, biasBytes(c));
  for (c.batch = 0; c.batch < c.B; c.batch++) {
    for (c.keyHead = 0; c.keyHead < c.K; c.keyHead++) {
      for (let row = 0; row < c.rows; row++) {
        const delta = dotRow(rowAt(c, c.dOutput, row, c.Hv), rowAt(c, c.output, row, c.Hv), c.Hv);
        store<f32>(l.deltas + ((<usize>row) << 2), delta);
      }
      for (c.firstKey = 0; c.firstKey < c.S; c.firstKey += c.keyBlock) {
        c.keys = min(c.keyBlock, c.S - c.firstKey);
        keysBackward(c, l);
      }
    }
  }
}

/** Size of the bias: one element more than the index of its last one. */
function biasBytes(c: AttentionCall): usize {
  const last =
    (c.B - 1) * c.biasB + (c.N - 1) * c.biasN + (c.T - 1) * c.biasT + (c.S - 1) * c.biasS;
  return (<usize>(last + 1)) << 2;
}

/** One block of keys. */
function keysBackward(c: AttentionCall, l: Layout): void {
  let packed = false;
  for (let row = 0; row < c.rows; row += c.rowBlock) {
    const count = min(c.rowBlock, c.rows - row);
    if (!seeBlock(c, l, row, count)) continue;
    if (!packed) {
      packKeys(c, l);
      packed = true;
    }
    packQueries(c, l, row, count);
    for (let r = 0; r < count; r += 4) {
      const span = l.spans + ((<usize>r) << 1);
      c.from = load<i32>(span);
      c.to = load<i32>(span, 4);
      tileBackward(c, l, row + r, r, min(4, count - r));
    }
    sumOverRows(c, l, count);
  }
  if (!packed) return;
  for (let j: usize = 0; j < <usize>c.keys; j++) {
    const key = l.dKeys + ((j * padded(c.H)) << 2);
    const value = l.dValues + ((j * padded(c.Hv)) << 2);
    memory.copy(keyAt(c, c.dKey, c.firstKey + <i32>j, c.H), key, (<usize>c.H) << 2);
    memory.copy(keyAt(c, c.dValue, c.firstKey + <i32>j, c.Hv), value, (<usize>c.Hv) << 2);
  }
}

/** Notes what each tile of a block of rows sees; says whether any sees anything. */
function seeBlock(c: AttentionCall, l: Layout, row: i32, count: i32): bool {
  let any = false;
  for (let r = 0; r < count; r += 4) {
    seeColumns(c, row + r, min(4, count - r));
    const span = l.spans + ((<usize>r) << 1);
    store<i32>(span, c.from);
    store<i32>(span, c.to, 4);
    if (c.to) any = true;
  }
  return any;
}

/** Packs the keys and values of the block; their gradients start from 0. */
function packKeys(c: AttentionCall, l: Layout): void {
  const key = keyAt(c, c.key, c.firstKey, c.H);
  const value = keyAt(c, c.value, c.firstKey, c.Hv);
  const keyStep = (<usize>(c.K * c.H)) << 2;
  const valueStep = (<usize>(c.K * c.Hv)) << 2;
  packTransposed(key, keyStep, c.keys, c.H, l.keyColumns);
  packTransposed(value, valueStep, c.keys, c.Hv, l.valueColumns);
  packRows(key, keyStep, c.keys, c.H, l.keyRows, (<usize>c.keyBlock) << 5);
  memory.fill(l.dKeys, 0, (<usize>(padded(c.H) * c.keyBlock)) << 2);
  memory.fill(l.dValues, 0, (<usize>(padded(c.Hv) * c.keyBlock)) << 2);
}

/** Packs queries and gradients of the output of a block of rows, up to a whole tile. */
function packQueries(c: AttentionCall, l: Layout, row: i32, count: i32): void {
  const step = (<usize>c.rowBlock) << 5;
  for (let r = 0; r < count; r++) {
    const at = (<usize>r) << 5;
    packRow(rowAt(c, c.query, row + r, c.H), c.H, l.queryRows + at, step, c.scale);
    packRow(rowAt(c, c.dOutput, row + r, c.Hv), c.Hv, l.dOutputRows + at, step, 1);
  }
  const rest = -count & 3;
  fillRows(l.queryRows + ((<usize>count) << 5), rest, c.H, step);
  fillRows(l.dOutputRows + ((<usize>count) << 5), rest, c.Hv, step);
  const last = row + count - 1;
  for (let r = row; r <= last; r += 4) {
    const at = (<usize>(r - row)) << 2;
    packTile(c, c.query, r, last, c.H, l.queryLeft + at * c.H, c.scale);
    packTile(c, c.dOutput, r, last, c.Hv, l.dOutputLeft + at * c.Hv, 1);
  }
}

/** Four rows of a tensor [B, T, N, size] as the left operand; the last one again where there are fewer. */
// @inline
function packTile(
  c: AttentionCall,
  tensor: usize,
  row: i32,
  last: i32,
  size: i32,
  to: usize,
  factor: f32,
): void {
  packFour(
    rowAt(c, tensor, row, size),
    rowAt(c, tensor, min(row + 1, last), size),
    rowAt(c, tensor, min(row + 2, last), size),
    rowAt(c, tensor, min(row + 3, last), size),
    size,
    to,
    factor,
  );
}

/**
 * Weights and gradients of the scores of up to four rows, and what they add to dQ and to the gradient of the bias.
 *
 * @param row The first row.
 * @param r Its number in the block of rows.
 * @param count How many; the rest of four rows is filled with 0, as is what they don't see.
 */
function tileBackward(c: AttentionCall, l: Layout, row: i32, r: i32, count: i32): void {
  const quads = (c.keys + 3) >> 2;
  const quad = (<usize>c.rowBlock) << 4;
  const at = (<usize>r) << 4;
  clearQuads(l, at, quad, 0, c.from >> 2);
  clearQuads(l, at, quad, c.to >> 2, quads);
  if (c.to == 0) return;
  const first = (<usize>c.from) << 2;
  const width = c.to - c.from;
  const step = scoreStep(c);
  const scores = l.scores + first;
  const products = l.products + first;
  const query = l.queryLeft + ((<usize>r) << 2) * c.H;
  const dOutput = l.dOutputLeft + ((<usize>r) << 2) * c.Hv;
  const key = l.keyColumns + first * c.H;
  const value = l.valueColumns + first * c.Hv;
  multiplyPanels(query, c.H, key, (<usize>c.H) << 5, width >> 3, scores, step, false);
  multiplyPanels(dOutput, c.Hv, value, (<usize>c.Hv) << 5, width >> 3, products, step, false);
  const capped = c.softCap > 0;
  for (let i: usize = 0; i < 4; i++) {
    const weighing = l.weighings + i * WEIGHING_BYTES;
    if (<i32>i < count) {
      const one = row + <i32>i;
      finishScores(c, one, l.scores + i * step, capped ? l.slopes + i * step : 0);
      const kept = c.statistics + (rowIndex(c, one) << 3);
      const delta = load<f32>(l.deltas + ((<usize>one) << 2));
      setWeighing(weighing, load<f32>(kept), load<f32>(kept, 4), delta);
      if (c.threshold) dropoutRow(c, one, l.multipliers + i * step);
    } else {
      setWeighing(weighing, 0, 0, 0);
      memory.fill(scores + i * step, 0, (<usize>width) << 2);
    }
  }
  const to = at + <usize>(c.from >> 2) * quad;
  gradientsOfFour(
    scores,
    products,
    c.threshold ? l.multipliers + first : 0,
    capped ? l.slopes + first : 0,
    step,
    width,
    l.weighings,
    c.dBias != 0,
    l.weights + to,
    l.dScores + to,
    quad,
    l.left,
    c.scale,
  );
  for (let i = 0; c.dBias && i < count; i++)
    addBiasGradient(c, row + i, l.products + <usize>i * step);
  const keyRows = l.keyRows + (first << 3);
  const sumStep = (<usize>padded(c.H)) << 2;
  multiplyPanels(
    l.left,
    width,
    keyRows,
    (<usize>c.keyBlock) << 5,
    (c.H + 7) >> 3,
    l.sums,
    sumStep,
    false,
  );
  for (let i = 0; i < count; i++)
    addRow(rowAt(c, c.dQuery, row + i, c.H), l.sums + <usize>i * sumStep, c.H);
}

/** 0 in the weights and gradients of a tile, for the keys 4·from … 4·to − 1. */
function clearQuads(l: Layout, at: usize, quad: usize, from: i32, to: i32): void {
  at += <usize>from * quad;
  for (; from < to; from++) {
    memory.fill(l.weights + at, 0, 64);
    memory.fill(l.dScores + at, 0, 64);
    at += quad;
  }
}

/** Adds what a block of rows gives to the gradients of the block's keys and values. */
function sumOverRows(c: AttentionCall, l: Layout, count: i32): void {
  const tiles = (count + 3) >> 2;
  const quad = (<usize>c.rowBlock) << 4;
  const panel = (<usize>c.rowBlock) << 5;
  const keyStep = (<usize>padded(c.H)) << 2;
  const valueStep = (<usize>padded(c.Hv)) << 2;
  for (let j = 0; j < c.keys; j += 4) {
    // The tiles that see any of these four keys, and those between them.
    let first = 0;
    while (first < tiles && !sees(l, first, j)) first++;
    let last = tiles - 1;
    while (last > first && !sees(l, last, j)) last--;
    if (first > last) continue;
    const depth = (last - first + 1) << 2;
    const at = <usize>(j >> 2) * quad + ((<usize>first) << 6);
    const rows = (<usize>first) << 7;
    const dValue = l.dValues + <usize>j * valueStep;
    const dKey = l.dKeys + <usize>j * keyStep;
    multiplyPanels(
      l.weights + at,
      depth,
      l.dOutputRows + rows,
      panel,
      (c.Hv + 7) >> 3,
      dValue,
      valueStep,
      true,
    );
    multiplyPanels(
      l.dScores + at,
      depth,
      l.queryRows + rows,
      panel,
      (c.H + 7) >> 3,
      dKey,
      keyStep,
      true,
    );
  }
}

/** Whether a tile sees any of the columns j … j + 3. */
// @inline
function sees(l: Layout, tile: i32, j: i32): bool {
  const span = l.spans + ((<usize>tile) << 3);
  return load<i32>(span) < j + 4 && load<i32>(span, 4) > j;
}
