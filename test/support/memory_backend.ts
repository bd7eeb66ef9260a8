/** As much of TensorFlow.js' wasm backend as the kernels use, on any memory. */
import * as tf from '@tensorflow/tfjs';
import type { WasmBackend } from '../../src/kernels/wasm/module.js';

/** Tensors in a memory that is given; nothing is ever freed. */
export class MemoryBackend implements WasmBackend {
  readonly dataIdMap = new Map<object, { memoryOffset: number; refCount: number; shape: number[] }>(); // prettier-ignore
  readonly wasm: WasmBackend['wasm'];
  private end = 1024;

  /**
   * @param memory Where tensors lie.
   * @param threaded Whether to look like the build with threads.
   */
  constructor(
    readonly memory: WebAssembly.Memory,
    threaded = false,
  ) {
    this.wasm = {
      ...(threaded ? { wasmMemory: memory, PThread: {} } : { asm: { memory } }),
      _malloc: (bytes) => this.allocate(bytes),
      _free: () => undefined,
      HEAPU8: new Uint8Array(memory.buffer),
      tfjs: { getThreadsCount: () => 3 },
    };
  }

  makeOutput(shape: number[], dtype: tf.DataType): tf.TensorInfo {
    const dataId = {};
    const bytes = tf.util.sizeFromShape(shape) * tf.util.bytesPerElement(dtype);
    this.dataIdMap.set(dataId, { memoryOffset: this.allocate(bytes), refCount: 1, shape });
    return { dataId, shape, dtype };
  }

  incRef(dataId: object): void {
    this.dataIdMap.get(dataId)!.refCount++;
  }

  disposeData(dataId: object): boolean {
    return this.dataIdMap.delete(dataId);
  }

  /** A float32 tensor of these numbers. */
  tensor(shape: number[], values: ArrayLike<number>): tf.TensorInfo {
    const tensor = this.makeOutput(shape, 'float32');
    this.view(tensor).set(values);
    return tensor;
  }

  /** The numbers of a tensor, where they lie. */
  view({ dataId, shape }: tf.TensorInfo): Float32Array {
    const { memoryOffset } = this.dataIdMap.get(dataId)!;
    return new Float32Array(this.memory.buffer, memoryOffset, tf.util.sizeFromShape(shape));
  }

  /** Like malloc: 0 when there is no room. */
  private allocate(bytes: number): number {
    const start = this.end;
    if (start + bytes > this.memory.buffer.byteLength) return 0;
    this.end = Math.ceil((start + Math.max(bytes, 1)) / 16) * 16;
    return start;
  }
}
