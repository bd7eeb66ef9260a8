/**
 * Attention in blocks; forward keeps two numbers a row for the gradient, never a row of scores.
 *
 * The same numbers as the reference up to rounding, and one thing more: a row whose visible keys all have bias −∞ gives
 * 0, where the reference gives NaN.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Inputs, KernelCall, WasmKernel } from './kernel.js';

/** Number of four-byte fields in `AttentionCall` (assembly/attention_call.ts), and its size with room to spare. */
const FIELDS = 41;
const RECORD_BYTES = 256;
/** Where the backward pass may lay out its scratch before it has any: behind the record. */
const ROOM_BYTES = 96;

/** Beyond any position, and small enough to be added to one. */
const FAR = 2 ** 30;

const TWO_32 = 2 ** 32;

/** Tensors that a call has besides query, key and value. */
interface CallTensors {
  bias?: tf.TensorInfo;
  mask?: tf.TensorInfo;
  output: tf.TensorInfo;
  statistics: tf.TensorInfo;
  dOutput?: tf.TensorInfo;
  dQuery?: tf.TensorInfo;
  dKey?: tf.TensorInfo;
  dValue?: tf.TensorInfo;
  dBias?: tf.TensorInfo;
}

/** Sizes by the letters of util/shapes; C is the room that key and value have, S what is in use of it. */
function sizesOf({ query, key, value }: Inputs, attrs: tf.NamedAttrMap): Record<string, number> {
  const [B, T, N, H] = query.shape;
  const [, C, K] = key.shape;
  return { B, T, S: attrs.keyLength as number, C, N, K, H, Hv: value.shape[3] };
}

/**
 * Keys in a block: a panel of 8 at least, and so many that packed keys take `bytes` at most.
 *
 * @param size The larger head size.
 * @param S Number of keys.
 * @param most Largest block.
 */
function blockOf(size: number, S: number, most: number): number {
  const fit = Math.floor((most * 64) / Math.max(size, 1) / 8) * 8;
  return Math.max(8, Math.min(fit, most, Math.ceil(S / 8) * 8));
}

/** Strides, in elements, that read a tensor as if it were broadcast to rank 4; 0 along broadcast axes. */
function strides(tensor: tf.TensorInfo | undefined): number[] {
  const result = [0, 0, 0, 0];
  if (!tensor) return result;
  let stride = 1;
  for (let axis = tensor.shape.length - 1; axis >= 0; axis--) {
    if (tensor.shape[axis] > 1) result[axis + 4 - tensor.shape.length] = stride;
    stride *= tensor.shape[axis];
  }
  return result;
}

/** Which keys query i sees: i + first ≤ j < i + last. */
function shifts({ causal, offset, window }: tf.NamedAttrMap): number[] {
  const width = window as number;
  const position = offset as number;
  const first = width > 0 ? position - width + 1 : -FAR;
  const last = causal ? position + 1 : width > 0 ? position + width : FAR;
  return [first, last].map((shift) => Math.max(-FAR, Math.min(shift, FAR)));
}

/** Runs `body` with the record of a call, and scratch of the size that `bytes` says. */
function withRecord(
  call: KernelCall,
  tensors: CallTensors,
  blocks: { keyBlock: number; rowBlock: number },
  bytes: (room: number) => number,
  body: (record: number) => void,
): void {
  const { inputs, attrs } = call;
  const sizes = sizesOf(inputs, attrs);
  const { query, key, value } = inputs;
  const { bias, mask, output, statistics, dOutput, dQuery, dKey, dValue, dBias } = tensors;
  const rate = attrs.dropout as number;
  const seed = attrs.seed as number;
  const counter = attrs.counter as number;
  call.withScratch(RECORD_BYTES + ROOM_BYTES, (record) =>
    call.withScratch(bytes(record + RECORD_BYTES) >>> 0, (scratch) => {
      // Made after the last allocation, because memory may have grown.
      const { buffer } = call.backend.wasm.HEAPU8;
      const integers = new Int32Array(buffer, record, FIELDS);
      const floats = new Float32Array(buffer, record, FIELDS);
      integers.set([
        ...[query, key, value, bias, mask, output, statistics, dOutput, dQuery, dKey, dValue, dBias].map((t) => call.pointer(t)), // prettier-ignore
        scratch,
        ...['B', 'T', 'S', 'C', 'N', 'K', 'H', 'Hv'].map((letter) => sizes[letter]),
        ...strides(bias),
        ...strides(mask),
        ...shifts(attrs),
        Math.ceil(Math.fround(rate) * 2 ** 24),
        ...[seed % TWO_32, Math.floor(seed / TWO_32)],
        ...[counter % TWO_32, Math.floor(counter / TWO_32)],
        blocks.keyBlock,
        blocks.rowBlock,
      ]);
      floats.set([attrs.scale as number, attrs.softCap as number, 1 / (1 - rate)], FIELDS - 3);
      body(record);
    }),
  );
}

function forward(call: KernelCall): tf.TensorInfo[] {
  const { bias, mask } = call.inputs;
  const { B, T, S, N, H, Hv } = sizesOf(call.inputs, call.attrs);
  const output = call.output([B, T, N, Hv]);
  const statistics = call.output([B, N, T, 2]);
  const keyBlock = blockOf(Math.max(H, Hv), S, 128);
  withRecord(
    call,
    { bias, mask, output, statistics },
    { keyBlock, rowBlock: 0 },
    () => call.exports.attentionForwardScratch(H, Hv, keyBlock),
    (record) => call.exports.attentionForward(record),
  );
  return [output, statistics];
}

function backward(call: KernelCall): tf.TensorInfo[] {
  const { query, key, value, bias, mask, dy, output, residual0: statistics } = call.inputs;
  const { T, S, N, K, H, Hv } = sizesOf(call.inputs, call.attrs);
  const dQuery = call.output(query.shape);
  const dKey = call.output(key.shape);
  const dValue = call.output(value.shape);
  const dBias = bias && call.output(bias.shape);
  const rows = (N / K) * T;
  const size = Math.max(H, Hv);
  const keyBlock = blockOf(size, S, 128);
  const rowBlock = blockOf(size, rows, 64);
  withRecord(
    call,
    { bias, mask, output, statistics, dOutput: dy, dQuery, dKey, dValue, dBias },
    { keyBlock, rowBlock },
    (room) => call.exports.attentionBackwardScratch(room, H, Hv, keyBlock, rowBlock, rows),
    (record) => call.exports.attentionBackward(record),
  );
  return [dQuery, dKey, dValue, ...(dBias ? [dBias] : [])];
}

/** `TransformersAttention`, with bias, with mask, with both, and their gradients. */
export const attentionKernels: WasmKernel[] = ['', 'Bias', 'Mask', 'BiasMask'].flatMap((kind) => [
  { name: `TransformersAttention${kind}`, run: forward },
  { name: `TransformersAttention${kind}Grad`, run: backward },
]);
