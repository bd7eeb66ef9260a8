/**
 * The worker that owns the WebGPU device: runs TensorFlow.js' own kernels for remote_backend.ts.
 *
 * Tests read tensors with `dataSync`. TensorFlow.js does that on WebGPU by drawing to a canvas, which in headless
 * Chromium without a graphics card gives zeros and then loses the device. Here data is read asynchronously while the
 * worker with the tests sleeps.
 */
import * as tf from '@tensorflow/tfjs-core';
import { answerCalls, mapInputs, type Line } from './remote_call.js';

/** A tensor by the number of its data. */
export interface RemoteTensor {
  id: number;
  shape: number[];
  dtype: tf.DataType;
}

/** A call to this worker. */
export type Request =
  | { do: 'listKernels' }
  | { do: 'run'; kernel: string; inputs: unknown; attrs: tf.NamedAttrMap }
  | { do: 'write'; id: number; values: tf.BackendValues | null; shape: number[]; dtype: tf.DataType; refCount: number }
  | { do: 'read' | 'refCount' | 'incRef' | 'decRef'; id: number }
  | { do: 'dispose'; id: number; force: boolean }; // prettier-ignore

/**
 * Starts the backend and answers calls.
 *
 * @param line This worker's end of the line.
 */
export async function serveWebGPU(line: Line): Promise<void> {
  await import('@tensorflow/tfjs-backend-webgpu');
  // Small tensors would be computed by the cpu backend, and no shader would be tested.
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  if (!(await tf.setBackend('webgpu'))) throw new Error('WebGPU did not start.');
  const backend = tf.backend();
  const errors: string[] = []; // a shader that does not compile only gives zeros; the next read says so
  (backend as never as { device: EventTarget }).device.addEventListener(
    'uncapturederror',
    (event) => errors.push((event as Event & { error: Error }).error.message),
  );
  const dataOf = new Map<number, tf.DataId>();
  const idOf = new WeakMap<tf.DataId, number>();
  let nextId = -1; // data made by kernels count down, data written by the tests up

  const remember = (dataId: tf.DataId, id: number): number => {
    dataOf.set(id, dataId);
    idOf.set(dataId, id);
    return id;
  };
  const local = ({ id, shape, dtype }: RemoteTensor): tf.TensorInfo => ({
    dataId: dataOf.get(id)!,
    shape,
    dtype,
  });
  const remote = ({ dataId, shape, dtype }: tf.TensorInfo): RemoteTensor => ({
    id: idOf.get(dataId) ?? remember(dataId, nextId--),
    shape,
    dtype,
  });

  // A kernel that reads synchronously would get zeros, see above.
  const readSync = backend.readSync.bind(backend);
  backend.readSync = (dataId) => {
    const { values } = (backend as never as { tensorMap: tf.DataStorage<any> }).tensorMap.get(
      dataId,
    );
    if (values === null || values === undefined) throw new Error('a kernel reads from the device.');
    return readSync(dataId);
  };

  answerCalls(line, async (request: Request) => {
    switch (request.do) {
      case 'listKernels':
        return json(tf.getKernelsForBackend('webgpu').map(({ kernelName }) => kernelName));
      case 'run': {
        const inputs = mapInputs(request.inputs, local) as tf.NamedTensorInfoMap;
        const outputs = tf
          .getKernel(request.kernel, 'webgpu')
          .kernelFunc({ inputs, attrs: request.attrs, backend });
        return json(Array.isArray(outputs) ? outputs.map(remote) : remote(outputs));
      }
      case 'write': {
        const { id, values, shape, dtype, refCount } = request;
        const dataId = backend.write(values as tf.BackendValues, shape, dtype);
        for (let i = 1; i < refCount; i++) backend.incRef(dataId);
        remember(dataId, id);
        return json(null);
      }
      case 'read': {
        const values = (await backend.read(dataOf.get(request.id)!)) as tf.TypedArray;
        if (errors.length > 0) {
          await new Promise((resolve) => setTimeout(resolve, 50)); // what follows from the first one
          throw new Error(`WebGPU: ${errors.splice(0)[0]}`);
        }
        return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      }
      case 'dispose': {
        const disposed = backend.disposeData(dataOf.get(request.id)!, request.force);
        if (disposed) dataOf.delete(request.id);
        return json(disposed);
      }
      case 'refCount':
        return json(backend.refCount(dataOf.get(request.id)!));
      case 'incRef':
        backend.incRef(dataOf.get(request.id)!);
        return json(null);
      case 'decRef':
        (backend as never as { decRef(dataId: tf.DataId): void }).decRef(dataOf.get(request.id)!);
        return json(null);
    }
  });
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
