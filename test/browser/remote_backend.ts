/** The webgpu backend of the worker that runs the tests: every call goes to webgpu_worker.ts, which holds the data. */
import * as tf from '@tensorflow/tfjs';
import { call, mapInputs, type Line } from './remote_call.js';
import type { RemoteTensor, Request } from './webgpu_worker.js';

interface Data {
  id: number;
  dtype: tf.DataType;
}

class RemoteBackend extends tf.KernelBackend {
  private readonly data = new WeakMap<tf.DataId, Data>();
  private readonly dataIds = new Map<number, tf.DataId>();
  private nextId = 1;

  constructor(private readonly line: Line) {
    super();
  }

  ask(request: Request): any {
    return JSON.parse(new TextDecoder().decode(call(this.line, request)));
  }

  /** Runs a kernel there; data that it made or handed on becomes known here. */
  run(
    kernel: string,
    inputs: tf.NamedTensorInfoMap,
    attrs: tf.NamedAttrMap,
  ): tf.TensorInfo | tf.TensorInfo[] {
    const remote = ({ dataId, shape, dtype }: tf.TensorInfo): RemoteTensor => ({
      id: this.data.get(dataId)!.id,
      shape,
      dtype,
    });
    const outputs = this.ask({
      do: 'run',
      kernel,
      inputs: mapInputs(inputs, remote),
      attrs,
    }) as RemoteTensor | RemoteTensor[];
    const local = ({ id, shape, dtype }: RemoteTensor): tf.TensorInfo => ({
      dataId: this.dataIds.get(id) ?? this.remember(id, dtype),
      shape,
      dtype,
    });
    return Array.isArray(outputs) ? outputs.map(local) : local(outputs);
  }

  private remember(id: number, dtype: tf.DataType): tf.DataId {
    const dataId = {};
    this.data.set(dataId, { id, dtype });
    this.dataIds.set(id, dataId);
    return dataId;
  }

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): tf.DataId {
    const id = this.nextId++;
    this.ask({ do: 'write', id, values, shape, dtype, refCount: 1 });
    return this.remember(id, dtype);
  }

  override move(
    dataId: tf.DataId,
    values: tf.BackendValues,
    shape: number[],
    dtype: tf.DataType,
    refCount: number,
  ): void {
    const id = this.nextId++;
    this.ask({ do: 'write', id, values, shape, dtype, refCount });
    this.data.set(dataId, { id, dtype });
    this.dataIds.set(id, dataId);
  }

  override readSync(dataId: tf.DataId): tf.TypedArray {
    const { id, dtype } = this.data.get(dataId)!;
    const { buffer } = call(this.line, { do: 'read', id } satisfies Request);
    if (dtype === 'bool') return new Uint8Array(buffer);
    return dtype === 'int32' ? new Int32Array(buffer) : new Float32Array(buffer);
  }

  override read(dataId: tf.DataId): Promise<tf.TypedArray> {
    return Promise.resolve(this.readSync(dataId));
  }

  override disposeData(dataId: tf.DataId, force = false): boolean {
    const data = this.data.get(dataId);
    if (data === undefined) return true;
    const disposed = this.ask({ do: 'dispose', id: data.id, force }) as boolean;
    if (disposed) {
      this.data.delete(dataId);
      this.dataIds.delete(data.id);
    }
    return disposed;
  }

  override refCount(dataId: tf.DataId): number {
    const data = this.data.get(dataId);
    return data ? this.ask({ do: 'refCount', id: data.id }) : 0;
  }

  override incRef(dataId: tf.DataId): void {
    this.ask({ do: 'incRef', id: this.data.get(dataId)!.id });
  }

  decRef(dataId: tf.DataId): void {
    this.ask({ do: 'decRef', id: this.data.get(dataId)!.id });
  }

  override numDataIds(): number {
    return this.dataIds.size;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: false };
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override timerAvailable(): boolean {
    return false;
  }

  override dispose(): void {}
}

/**
 * Registers the backend under the name `webgpu`, with all kernels that TensorFlow.js has for it.
 *
 * @param line The caller's end of the line to webgpu_worker.ts.
 */
export function registerRemoteBackend(line: Line): void {
  const backend = new RemoteBackend(line);
  tf.registerBackend('webgpu', () => backend);
  for (const kernelName of backend.ask({ do: 'listKernels' }) as string[]) {
    tf.registerKernel({
      kernelName,
      backendName: 'webgpu',
      kernelFunc: ({ inputs, attrs }) => backend.run(kernelName, inputs, attrs ?? {}),
    });
  }
}
