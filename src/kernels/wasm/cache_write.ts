/** Writes rows into a buffer: into its own memory where nobody else holds it, else into a copy. */
import * as tf from '@tensorflow/tfjs-core';
import { sizeOf } from '../../util/shapes.js';
import type { KernelCall, WasmKernel } from './kernel.js';

/** `TransformersCacheWrite` and its gradient. */
export const cacheWriteKernels: WasmKernel[] = [
  {
    name: 'TransformersCacheWrite',
    run: (call) => {
      const { buffer, rows } = call.inputs;
      const { batch, part, bytes, place } = layout(call, buffer);
      let written = call.inPlace(buffer);
      if (written === null) {
        written = call.output(buffer.shape, buffer.dtype);
        call.exports.copyRows(call.pointer(buffer), call.pointer(written), batch, part, part, part);
      }
      const to = call.pointer(written) + place;
      call.exports.copyRows(call.pointer(rows), to, batch, bytes, bytes, part);
      return written;
    },
  },
  {
    name: 'TransformersCacheWriteGrad',
    run: (call) => {
      const { dy } = call.inputs;
      const { batch, part, bytes, place } = layout(call, dy);
      const dbuffer = call.output(dy.shape);
      const [B, , ...inner] = dy.shape;
      const drows = call.output([B, call.attrs.length as number, ...inner]);
      const [from, to] = [call.pointer(dy), call.pointer(dbuffer)];
      call.exports.copyRows(from, to, batch, part, part, part);
      call.exports.clearRows(to + place, batch, bytes, part);
      call.exports.copyRows(from + place, call.pointer(drows), batch, bytes, part, bytes);
      return [dbuffer, drows];
    },
  },
];

/** Bytes of a sequence's part of the buffer and of its rows, and where in its part they go. */
function layout(
  { attrs }: KernelCall,
  buffer: tf.TensorInfo,
): { batch: number; part: number; bytes: number; place: number } {
  const { at, length } = attrs as { at: number; length: number };
  const [batch, capacity, ...inner] = buffer.shape;
  const row = sizeOf(inner) * tf.util.bytesPerElement(buffer.dtype);
  return { batch, part: capacity * row, bytes: length * row, place: at * row };
}
