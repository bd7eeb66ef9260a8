/**
 * The kernels' WebAssembly module, instantiated in the memory of TensorFlow.js' wasm backend: tensors are used where
 * they lie, nothing is copied. It has no data, stack or allocator of its own, so the two cannot disturb each other.
 */
import * as tf from '@tensorflow/tfjs-core';
import { relaxedSimd, simd, type Exports } from './binary.js';

/** The part of TensorFlow.js' wasm backend that the kernels use. */
export interface WasmBackend {
  /** Where each tensor's data lies. */
  dataIdMap: {
    get(dataId: object): { memoryOffset: number; refCount: number; shape: number[] } | undefined;
  };
  /** Allocates a tensor. */
  makeOutput(shape: number[], dtype: tf.DataType): tf.TensorInfo;
  /** Counts one more tensor on the same data. */
  incRef(dataId: object): void;
  /** Gives up a tensor that `makeOutput` made. */
  disposeData(dataId: object, force?: boolean): boolean;
  /** Emscripten's module. */
  wasm: {
    _malloc(bytes: number): number;
    _free(pointer: number): void;
    /** The plain builds hand out their memory here … */
    asm?: { memory?: unknown };
    /** … the threaded one here. */
    wasmMemory?: unknown;
    /** Only in the threaded build. */
    PThread?: unknown;
    HEAPU8: Uint8Array;
    tfjs: { getThreadsCount(): number };
  };
}

/** The kernels of one backend. */
export interface KernelModule {
  /** The compiled functions. */
  exports: Exports;
  /** Whether products and sums are fused (relaxed SIMD). */
  fused: boolean;
  /** Threads that TensorFlow.js' own kernels use; these kernels use one. */
  threads: number;
}

/** Which builds an engine may run; tests try each. */
export type Flavour = 'simd' | 'relaxed';

const binaries: Record<Flavour, string> = { simd, relaxed: relaxedSimd };
const modules = new WeakMap<object, KernelModule | null>();
const listeners: (() => void)[] = [];

/**
 * Calls a function whenever the kernels have been instantiated: the backend runs then, and its own kernels are there.
 *
 * @param listener The function.
 */
export function onInstantiated(listener: () => void): void {
  listeners.push(listener);
}

/**
 * The kernels in a backend's memory; instantiated at the first call, a few milliseconds.
 *
 * @param backend The wasm backend.
 * @returns Null when the memory cannot be found or the engine has no SIMD; said once on the console.
 */
export function moduleOf(backend: WasmBackend): KernelModule | null {
  let module = modules.get(backend);
  if (module === undefined) {
    try {
      module = instantiate(backend);
    } catch (error) {
      module = null;
      tf.backend_util.warn(
        `tfjs-transformers/wasm: the kernels cannot run here (${String(error)}). ` +
          'Everything works without them, more slowly.',
      );
    }
    modules.set(backend, module);
    if (module) for (const listener of listeners) listener();
  }
  return module;
}

/**
 * Instantiates one build in a backend's memory.
 *
 * @param backend The wasm backend.
 * @param flavour The build; the fastest that the engine runs by default.
 * @returns The kernels.
 * @throws Error when the backend has no memory that can be found, or the engine cannot run the build.
 */
export function instantiate(backend: WasmBackend, flavour?: Flavour): KernelModule {
  const memory = memoryOf(backend);
  const shared =
    typeof SharedArrayBuffer !== 'undefined' && memory.buffer instanceof SharedArrayBuffer;
  const candidates: Flavour[] = flavour === undefined ? ['relaxed', 'simd'] : [flavour];
  for (const candidate of candidates) {
    const bytes = decode(binaries[candidate]);
    if (!WebAssembly.validate(bytes)) continue;
    const module = new WebAssembly.Module(shared ? importingSharedMemory(bytes) : bytes);
    const instance = new WebAssembly.Instance(module, { env: { memory } });
    return {
      exports: instance.exports as Exports,
      fused: candidate === 'relaxed',
      threads: 'PThread' in backend.wasm ? backend.wasm.tfjs.getThreadsCount() : 1,
    };
  }
  throw new Error(`this engine has no ${flavour === 'relaxed' ? 'relaxed ' : ''}wasm SIMD`);
}

function memoryOf({ wasm }: WasmBackend): WebAssembly.Memory {
  // By what it can do, not by its class: a test runner's realm has a class of its own.
  const memory = [wasm.asm?.memory, wasm.wasmMemory].find(
    (found) => (found as WebAssembly.Memory | undefined)?.buffer !== undefined,
  );
  if (memory === undefined) throw new Error("the wasm backend's memory is not to be found");
  return memory as WebAssembly.Memory;
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/**
 * The same module for a shared memory. A module has to declare whether the memory it imports is shared; nothing else
 * in it differs, so the declaration is rewritten instead of shipping two more builds.
 *
 * The import section is `02 size 01 03 "env" 06 "memory" 02` and then the limits: `00 00` (from 0 pages, not shared)
 * becomes `03 00 80 80 04` (shared, at most 65,536 pages).
 */
function importingSharedMemory(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const IMPORTS = 2;
  let section = 8;
  while (bytes[section] !== IMPORTS) {
    let size = 0;
    let at = section + 1;
    for (let shift = 0; ; shift += 7, at++) {
      size |= (bytes[at] & 0x7f) << shift;
      if (bytes[at] < 0x80) break;
    }
    section = at + 1 + size;
  }
  const size = bytes[section + 1];
  const limits = section + size; // the section's last two bytes
  const patched = new Uint8Array(bytes.length + 3);
  patched.set(bytes.subarray(0, limits));
  patched.set([0x03, 0x00, 0x80, 0x80, 0x04], limits);
  patched.set(bytes.subarray(limits + 2), limits + 5);
  patched[section + 1] = size + 3;
  return patched;
}
