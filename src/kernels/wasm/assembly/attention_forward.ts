/**
 * Attention in one pass over the keys (Dao et al., "FlashAttention", 2022; Milakov and Gimelshein, "Online normalizer
 * calculation for softmax", 2018): each row keeps the largest score so far and the sum of exponentials relative to it,
 * and what it has summed is scaled down when a larger score appears. No row of scores longer than a block is ever kept.
 *
 * Blocks of keys are the outer loop and rows the inner one, so that a block is packed once for all rows of all the
 * heads that share it. Sums wait in the output itself, and the two numbers of each row in `statistics`.
 */
import { keyAt, padded, rowAt, rowIndex, scoreStep, AttentionCall } from './attention_call';
import { packFour, packRows, packTransposed } from './attention_pack';
import { rowTimesKeys, weightsTimesValues } from './attention_rows';
import {
  dropoutRow,
  exponentials,
  finishScores,
  largest,
  mergeRow,
  multiplyRow,
  scaleRow,
  seeColumns,
} from './attention_scores';
import { multiplyPanels } from './attention_tiles';
import { setWeighing, weighFour, WEIGHING_BYTES } from './attention_weights';
import { exp } from './exp';

/** What the largest score of a row starts from: finite, so that it can be subtracted from −∞. */
const LOWEST: f32 = -f32.MAX_VALUE;

/**
 * With fewer rows than this, packing a block costs more than it saves: 6 rows of 64 against 1,024 keys of 4 heads take
 * 305 µs row by row and 360 in two tiles.
 */
const FEW_ROWS = 7;

/** Bytes of keys and values that are fetched at once then: a quarter of a second-level cache. */
const FETCHED: i32 = 1 << 18;

/** Bytes of scratch that `attentionForward` needs. */
export function attentionForwardScratch(H: i32, Hv: i32, keyBlock: i32): usize {
  const step = (<usize>(keyBlock + 16)) << 2;
  const keys = (<usize>H * keyBlock) << 2;
  const values = (<usize>padded(Hv) * keyBlock) << 2;
  const sums = (<usize>padded(Hv)) << 4;
  const left = (<usize>max(H, keyBlock)) << 4;
  return keys + values + 8 * step + sums + left + 4 * WEIGHING_BYTES + 32;
}

/**
 * Output and statistics of a call.
 *
 * @param call An `AttentionCall`; gradients and `rowBlock` are not read.
 */
export function attentionForward(call: usize): void {
  const c = changetype<AttentionCall>(call);
  const statistics = c.statistics;
  memory.fill(c.output, 0, (<usize>c.B * c.T * c.N * c.Hv) << 2);
  for (let i: usize = 0, end = (<usize>c.B * c.N * c.T) << 3; i < end; i += 8) {
    store<f32>(statistics + i, LOWEST);
    store<f32>(statistics + i, 0, 4);
  }
  c.rows = (c.N / c.K) * c.T;
  for (c.batch = 0; c.batch < c.B; c.batch++) {
    if (c.rows < FEW_ROWS) {
      const block = min(c.keyBlock, max(8, (FETCHED / (c.K * (c.H + c.Hv) * 4 + 1)) & ~7));
      for (c.firstKey = 0; c.firstKey < c.S; c.firstKey += block) {
        c.keys = min(block, c.S - c.firstKey);
        fetch(c);
        for (c.keyHead = 0; c.keyHead < c.K; c.keyHead++) blockByRow(c);
      }
    } else {
      for (c.keyHead = 0; c.keyHead < c.K; c.keyHead++) {
        for (c.firstKey = 0; c.firstKey < c.S; c.firstKey += c.keyBlock) {
          c.keys = min(c.keyBlock, c.S - c.firstKey);
          blockByTile(c);
        }
      }
    }
    for (c.keyHead = 0; c.keyHead < c.K; c.keyHead++) finishRows(c);
  }
}

/** Adds one block of keys to all rows of the key head, four rows at a time. */
function blockByTile(c: AttentionCall): void {
  const keyPanels = c.scratch;
  const valuePanels = keyPanels + ((<usize>c.H * c.keyBlock) << 2);
  const valueStep = (<usize>c.keyBlock) << 5;
  let packed = false;
  for (let row = 0; row < c.rows; row += 4) {
    const count = min(4, c.rows - row);
    seeColumns(c, row, count);
    if (c.to == 0) continue;
    if (!packed) {
      packTransposed(
        keyAt(c, c.key, c.firstKey, c.H),
        (<usize>(c.K * c.H)) << 2,
        c.keys,
        c.H,
        keyPanels,
      );
      packRows(
        keyAt(c, c.value, c.firstKey, c.Hv),
        (<usize>(c.K * c.Hv)) << 2,
        c.keys,
        c.Hv,
        valuePanels,
        valueStep,
      );
      packed = true;
    }
    addTile(c, row, count, keyPanels, valuePanels, valueStep);
  }
}

/** Adds the columns `from` … `to − 1` of the block to up to four rows. */
function addTile(
  c: AttentionCall,
  row: i32,
  count: i32,
  keyPanels: usize,
  valuePanels: usize,
  valueStep: usize,
): void {
  const step = scoreStep(c);
  const scores = valuePanels + ((<usize>padded(c.Hv) * c.keyBlock) << 2);
  const multipliers = scores + 4 * step;
  const sums = multipliers + 4 * step;
  const weighings = sums + ((<usize>padded(c.Hv)) << 4);
  const totals = weighings + 4 * WEIGHING_BYTES;
  const factors = totals + 16;
  const left = factors + 16;
  const last = row + count - 1;
  const width = c.to - c.from;
  packFour(
    rowAt(c, c.query, row, c.H),
    rowAt(c, c.query, min(row + 1, last), c.H),
    rowAt(c, c.query, min(row + 2, last), c.H),
    rowAt(c, c.query, min(row + 3, last), c.H),
    c.H,
    left,
    c.scale,
  );
  const first = scores + ((<usize>c.from) << 2);
  multiplyPanels(
    left,
    c.H,
    keyPanels + ((<usize>c.from * c.H) << 2),
    (<usize>c.H) << 5,
    width >> 3,
    first,
    step,
    false,
  );
  for (let r = 0; r < count; r++) {
    const i = <usize>r;
    finishScores(c, row + r, scores + i * step, 0);
    const factor = raiseLargest(c, row + r, largest(first + i * step, width));
    store<f32>(factors + (i << 2), factor);
    const at = c.statistics + (rowIndex(c, row + r) << 3);
    setWeighing(weighings + i * WEIGHING_BYTES, load<f32>(at), 0, 0);
    if (c.threshold) dropoutRow(c, row + r, multipliers + i * step);
  }
  // Rows that are not there hold whatever they hold; their sums are not used.
  const dropped = c.threshold ? multipliers + ((<usize>c.from) << 2) : 0;
  weighFour(first, step, width, weighings, dropped, left, totals);
  multiplyPanels(
    left,
    width,
    valuePanels + ((<usize>c.from) << 5),
    valueStep,
    (c.Hv + 7) >> 3,
    sums,
    (<usize>padded(c.Hv)) << 2,
    false,
  );
  for (let r = 0; r < count; r++) {
    const i = (<usize>r) << 2;
    addTotal(c, row + r, load<f32>(factors + i), load<f32>(totals + i));
    const from = sums + i * padded(c.Hv);
    mergeRow(rowAt(c, c.output, row + r, c.Hv), from, c.Hv, load<f32>(factors + i));
  }
}

/**
 * Raises the largest score of a row that has been seen.
 *
 * @returns What the sums so far have to be multiplied by.
 */
function raiseLargest(c: AttentionCall, row: i32, score: f32): f32 {
  const at = c.statistics + (rowIndex(c, row) << 3);
  const before = load<f32>(at);
  const after = max(before, score);
  if (after == before) return 1;
  store<f32>(at, after);
  return f32x4.extract_lane(exp(f32x4.splat(before - after)), 0);
}

/** Moves the sum of a row's weights on. */
// @inline
function addTotal(c: AttentionCall, row: i32, factor: f32, total: f32): void {
  const at = c.statistics + (rowIndex(c, row) << 3);
  store<f32>(at, load<f32>(at, 4) * factor + total, 4);
}

/**
 * Brings the keys and values of a block into the cache, all heads, by reading a number of each line in the order in which
 * they lie: the processor then loads ahead, which it does not for one head's pieces of each key. A token attending to
 * 4,096 keys of 4 heads of 64, after 64 MB of other data: 830 µs instead of 1,220; where all is cached already 330
 * instead of 290.
 */
function fetch(c: AttentionCall): void {
  c.keyHead = 0;
  let seen = fetchLines(keyAt(c, c.key, c.firstKey, c.H), (<usize>(c.keys * c.K * c.H)) << 2);
  seen ^= fetchLines(keyAt(c, c.value, c.firstKey, c.Hv), (<usize>(c.keys * c.K * c.Hv)) << 2);
  store<u32>(c.scratch, seen); // so that no compiler leaves the reading out
}

/** Reads a number of each 64 bytes. */
function fetchLines(p: usize, bytes: usize): u32 {
  let seen: u32 = 0;
  for (const end = p + bytes; p < end; p += 64) seen ^= load<u32>(p);
  return seen;
}

/** Adds one block of keys to each row of the key head by itself, reading keys and values where they lie. */
function blockByRow(c: AttentionCall): void {
  const scores = c.scratch;
  const multipliers = scores + scoreStep(c);
  const query = multipliers + scoreStep(c);
  for (let row = 0; row < c.rows; row++) {
    seeColumns(c, row, 1);
    if (c.to == 0) continue;
    const used = min(c.to, c.keys) - c.from;
    memory.copy(query, rowAt(c, c.query, row, c.H), (<usize>c.H) << 2);
    scaleRow(query, c.H, c.scale);
    rowTimesKeys(
      query,
      keyAt(c, c.key, c.firstKey + c.from, c.H),
      (<usize>(c.K * c.H)) << 2,
      used,
      c.H,
      scores + ((<usize>c.from) << 2),
    );
    const first = scores + ((<usize>c.from) << 2);
    const width = c.to - c.from;
    finishScores(c, row, scores, 0);
    const factor = raiseLargest(c, row, largest(first, width));
    const shift = load<f32>(c.statistics + (rowIndex(c, row) << 3));
    addTotal(c, row, factor, exponentials(first, width, shift));
    if (c.threshold) {
      dropoutRow(c, row, multipliers);
      multiplyRow(c, scores, multipliers);
    }
    weightsTimesValues(
      first,
      keyAt(c, c.value, c.firstKey + c.from, c.Hv),
      (<usize>(c.K * c.Hv)) << 2,
      used,
      c.Hv,
      rowAt(c, c.output, row, c.Hv),
      factor,
    );
  }
}

/** Divides the sums of all rows of the key head by those of their weights. */
function finishRows(c: AttentionCall): void {
  for (let row = 0; row < c.rows; row++) {
    const at = c.statistics + (rowIndex(c, row) << 3);
    const total = load<f32>(at, 4);
    const inverse: f32 = total == 0 ? 0 : 1 / total;
    store<f32>(at, inverse, 4);
    scaleRow(rowAt(c, c.output, row, c.Hv), c.Hv, inverse);
  }
}
