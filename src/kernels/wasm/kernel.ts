/** What every wasm kernel is written with: one call's inputs as pointers, outputs, scratch memory. */
import * as tf from '@tensorflow/tfjs-core';
import type { RestrictedKernel } from '../../ops/dispatch.js';
import type { Exports } from './binary.js';
import { moduleOf, type KernelModule, type WasmBackend } from './module.js';

/** Tensors that a kernel takes, by name. */
export type Inputs = Record<string, tf.TensorInfo>;

/** A kernel: how TensorFlow.js' registry knows it, when it can run, and what it does. */
export interface WasmKernel {
  /** Name in the registry, for example `TransformersLayerNorm`. */
  name: string;
  /** Says whether it can run on these inputs; where it cannot, the reference runs. Default: always. */
  supports?: (inputs: Inputs, attrs: tf.NamedAttrMap) => boolean;
  /** Computes the outputs. */
  run: (call: KernelCall) => tf.TensorInfo | tf.TensorInfo[];
}

/** One call of a kernel. */
export class KernelCall {
  /**
   * @param inputs Tensors by name.
   * @param attrs Attributes by name.
   * @param backend The backend that holds the tensors.
   * @param module The compiled functions in its memory.
   */
  constructor(
    readonly inputs: Inputs,
    readonly attrs: tf.NamedAttrMap,
    readonly backend: WasmBackend,
    readonly module: KernelModule,
  ) {}

  /** The compiled functions. */
  get exports(): Exports {
    return this.module.exports;
  }

  /**
   * Where a tensor's first element lies. Stays true when the memory grows.
   *
   * @param tensor The tensor; none gives 0.
   * @returns Byte offset into the memory.
   */
  pointer(tensor: tf.TensorInfo | null | undefined): number {
    return tensor ? this.backend.dataIdMap.get(tensor.dataId)!.memoryOffset : 0;
  }

  /**
   * Allocates an output. Its content is whatever lay there.
   *
   * @param shape Its shape.
   * @param dtype Its type, float32 by default.
   * @returns The tensor.
   * @throws Error when the memory is full.
   */
  output(shape: number[], dtype: tf.DataType = 'float32'): tf.TensorInfo {
    const tensor = this.backend.makeOutput(shape, dtype);
    const bytes = tf.util.sizeFromShape(shape) * tf.util.bytesPerElement(dtype);
    if (!this.isMemory(this.pointer(tensor), bytes)) {
      this.backend.disposeData(tensor.dataId);
      throw outOfMemory(bytes);
    }
    return tensor;
  }

  /**
   * An output in the memory of an input, for kernels that change what they are given: the data of a variable, a buffer
   * that is handed on. Only where no other tensor shares that data, so that nobody sees it change.
   *
   * @param tensor The input.
   * @returns Another handle on its data; null when it is shared.
   */
  inPlace(tensor: tf.TensorInfo): tf.TensorInfo | null {
    return this.backend.dataIdMap.get(tensor.dataId)!.refCount === 1 ? this.share(tensor) : null;
  }

  /**
   * An output that is an input.
   *
   * @param tensor The input.
   * @returns Another handle on its data.
   */
  share({ dataId, shape, dtype }: tf.TensorInfo): tf.TensorInfo {
    this.backend.incRef(dataId);
    return { dataId, shape, dtype };
  }

  /**
   * Runs a function with memory of its own, freed afterwards.
   *
   * @param bytes How much; its content is whatever lay there.
   * @param body Gets the pointer, a multiple of 16.
   * @returns What `body` returns.
   * @throws Error when the memory is full.
   */
  withScratch<T>(bytes: number, body: (pointer: number) => T): T {
    const pointer = this.backend.wasm._malloc(bytes + 16) >>> 0;
    if (!this.isMemory(pointer, bytes + 16)) throw outOfMemory(bytes);
    try {
      return body(Math.ceil(pointer / 16) * 16);
    } finally {
      this.backend.wasm._free(pointer);
    }
  }

  /** Whether an allocation succeeded: near 4 GB, malloc of TensorFlow.js 4.22 hands out what ends beyond the memory. */
  private isMemory(pointer: number, bytes: number): boolean {
    return pointer !== 0 && pointer + bytes <= this.backend.wasm.HEAPU8.length;
  }
}

const BACKEND = 'wasm';
const refused = new Set<string>();

/**
 * Registers a kernel for TensorFlow.js' wasm backend. A name that is registered already keeps its kernel.
 *
 * @param kernel The kernel.
 */
export function registerWasmKernel({ name, supports, run }: WasmKernel): void {
  if (tf.getKernel(name, BACKEND)) return;
  const usable: RestrictedKernel['supports'] = (inputs, attrs) => {
    if (moduleOf(tf.backend() as unknown as WasmBackend) === null) return false;
    const fits = supports?.(inputs, attrs) ?? true;
    if (!fits && !refused.has(name)) {
      refused.add(name);
      const shapes = Object.entries(inputs).map(([input, { shape }]) => `${input} [${shape}]`);
      tf.backend_util.warn(
        `tfjs-transformers/wasm: ${name} has no kernel for ${shapes.join(', ')}, ` +
          `${JSON.stringify(attrs)}; composed operations run instead. Said once.`,
      );
    }
    return fits;
  };
  const config: RestrictedKernel = {
    kernelName: name,
    backendName: BACKEND,
    supports: usable,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const wasm = backend as WasmBackend;
      const module = moduleOf(wasm);
      if (module === null)
        throw new Error(`${name}: the kernels of tfjs-transformers cannot run on this backend.`);
      return run(new KernelCall(inputs as Inputs, attrs ?? {}, wasm, module));
    },
  };
  tf.registerKernel(config);
}

/**
 * Takes a kernel back that `registerWasmKernel` has registered; one of somebody else's stays.
 *
 * @param name Name of the kernel.
 */
export function unregisterWasmKernel(name: string): void {
  const kernel = tf.getKernel(name, BACKEND);
  if (kernel && 'supports' in kernel) tf.unregisterKernel(name, BACKEND);
}

function outOfMemory(bytes: number): Error {
  return new Error(
    `tfjs-transformers/wasm: the wasm backend's memory is full, no room for ${bytes} bytes more ` +
      '(it ends at 4 GB). Dispose of tensors, or take a smaller batch or model.',
  );
}
