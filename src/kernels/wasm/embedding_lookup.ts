/** Rows of a table, and sums of rows by their number. */
import type * as tf from '@tensorflow/tfjs-core';
import { sizeOf } from '../../util/shapes.js';
import type { KernelCall, WasmKernel } from './kernel.js';

/**
 * `TransformersEmbeddingLookup`, its gradient, and `UnsortedSegmentSum`, which TensorFlow.js' own embedding needs to
 * train and its wasm backend lacks.
 */
export const embeddingLookupKernels: WasmKernel[] = [
  { name: 'TransformersEmbeddingLookup', run: lookUp },
  {
    name: 'TransformersEmbeddingLookupGrad',
    run: (call) => {
      const { dy, ids } = call.inputs;
      const D = dy.shape[dy.shape.length - 1];
      return [segmentSum(call, dy, ids, [call.attrs.vocabularySize as number, D])];
    },
  },
  {
    name: 'UnsortedSegmentSum',
    run: (call) => {
      const { x, segmentIds } = call.inputs;
      const inner = x.shape.slice(segmentIds.shape.length);
      return segmentSum(call, x, segmentIds, [call.attrs.numSegments as number, ...inner]);
    },
  },
];

function lookUp(call: KernelCall): tf.TensorInfo[] {
  const { table, ids } = call.inputs;
  const [V, D] = table.shape;
  const y = call.output([...ids.shape, D]);
  call.exports.embeddingLookup(
    call.pointer(table),
    call.pointer(ids),
    call.pointer(y),
    sizeOf(ids.shape),
    V,
    4 * D,
  );
  return [y];
}

/** Rows of x with equal ids, added up: `shape[0]` sums of `shape[1…]`. */
function segmentSum(
  call: KernelCall,
  x: tf.TensorInfo,
  ids: tf.TensorInfo,
  shape: number[],
): tf.TensorInfo {
  const y = call.output(shape, x.dtype);
  call.exports[x.dtype === 'int32' ? 'segmentSumInteger' : 'segmentSum'](
    call.pointer(x),
    call.pointer(ids),
    call.pointer(y),
    sizeOf(ids.shape),
    shape[0],
    sizeOf(shape.slice(1)),
  );
  return y;
}
