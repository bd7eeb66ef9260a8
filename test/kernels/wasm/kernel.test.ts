import * as tf from '@tensorflow/tfjs';
import { KernelCall, registerWasmKernel } from '../../../src/kernels/wasm/kernel.js';
import { moduleOf, type WasmBackend } from '../../../src/kernels/wasm/module.js';
import { dispatch, forcePath } from '../../../src/ops/dispatch.js';
import { describeKernels } from '../../support/backends.js';
import { expectClose } from '../../support/expect_close.js';

const backend = (): WasmBackend => tf.backend() as unknown as WasmBackend;
const newCall = (inputs: Record<string, tf.TensorInfo> = {}): KernelCall =>
  new KernelCall(inputs, {}, backend(), moduleOf(backend())!);

/** Answers −x by its kernel for at most three numbers, and 2·x by its reference. */
const operation = (x: tf.Tensor): tf.Tensor =>
  dispatch({
    kernel: 'TestShort',
    inputs: { x },
    differentiable: ['x'],
    attrs: { sign: -1 },
    reference: () => tf.mul(x, 2),
  });

describeKernels('a kernel and its call', () => {
  let warn: jest.SpyInstance;
  beforeEach(() => {
    warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  });
  afterEach(() => {
    warn.mockRestore();
    if (tf.getKernel('TestShort', 'wasm')) tf.unregisterKernel('TestShort', 'wasm');
  });

  const register = (): void =>
    registerWasmKernel({
      name: 'TestShort',
      supports: ({ x }) => x.shape[0] <= 3,
      run: (call) => {
        const y = call.output(call.inputs.x.shape);
        const { HEAPU8 } = backend().wasm;
        const at = (tensor: tf.TensorInfo): Float32Array =>
          new Float32Array(HEAPU8.buffer, call.pointer(tensor), tensor.shape[0]);
        at(y).set(at(call.inputs.x).map((value) => value * (call.attrs.sign as number)));
        return y;
      },
    });

  test('where a kernel does not support the call the reference runs, and that is said once', () => {
    register();
    expectClose(operation(tf.tensor1d([1, 2, 3])), [-1, -2, -3]);
    expect(warn).not.toHaveBeenCalled();
    for (let i = 0; i < 2; i++) expectClose(operation(tf.tensor1d([1, 2, 3, 4])), [2, 4, 6, 8]);
    expect(warn.mock.calls).toEqual([
      [
        'tfjs-transformers/wasm: TestShort has no kernel for x [4], {"sign":-1}; ' +
          'composed operations run instead. Said once.',
      ],
    ]);
    expect(() => forcePath('kernel', () => operation(tf.tensor1d([1, 2, 3, 4])))).toThrow(
      "dispatch: no kernel TestShort for this call on backend 'wasm'.",
    );
  });

  test('a backend that cannot run kernels takes the reference', () => {
    register();
    const real = backend().wasm;
    const { engine } = tf;
    // Another wasm backend, of an unknown build: everything is there but a memory by a name that we know.
    const unknown = Object.create(tf.backend()) as { wasm: object };
    unknown.wasm = Object.create(real, { asm: { value: {} }, wasmMemory: { value: undefined } });
    const spy = jest.spyOn(tf.engine(), 'backend', 'get');
    spy.mockReturnValue(unknown as never);
    try {
      expectClose(operation(tf.tensor1d([1, 2])), [2, 4]);
      expectClose(operation(tf.tensor1d([1, 2])), [2, 4]);
    } finally {
      spy.mockRestore();
    }
    expect(engine().backendName).toBe('wasm');
    expect(warn).toHaveBeenCalledTimes(1);
    expect(String(warn.mock.calls[0][0])).toContain('the kernels cannot run here');
  });

  test('a name that is taken keeps its kernel', () => {
    register();
    registerWasmKernel({
      name: 'TestShort',
      run: () => {
        throw new Error('never');
      },
    });
    expectClose(operation(tf.tensor1d([1])), [-1]);
  });

  test('pointers: none is 0, another is where the numbers are', () => {
    const x = tf.tensor1d([5, 6]);
    const at = newCall().pointer(x);
    expect(Array.from(new Float32Array(backend().wasm.HEAPU8.buffer, at, 2))).toEqual([5, 6]);
    expect([newCall().pointer(null), newCall().pointer(undefined)]).toEqual([0, 0]);
  });

  test('scratch memory is aligned, and freed even after an error', () => {
    newCall().withScratch(1, () => undefined); // emscripten replaces its functions at their first call
    const free = jest.spyOn(backend().wasm, '_free');
    try {
      const places = [1, 7, 1000].map((bytes) => newCall().withScratch(bytes, (at) => at));
      expect(places.map((at) => at % 16)).toEqual([0, 0, 0]);
      expect(() =>
        newCall().withScratch(8, () => {
          throw new Error('inside');
        }),
      ).toThrow('inside');
      expect(free).toHaveBeenCalledTimes(4);
    } finally {
      free.mockRestore();
    }
  });

  test('an output takes the memory of an input only where nobody else has it', () => {
    const x = tf.tensor1d([1, 2]);
    const same = newCall().inPlace(x)!;
    expect(same).toEqual({ dataId: x.dataId, shape: [2], dtype: 'float32' });
    backend().disposeData(same.dataId);
    const other = tf.reshape(x, [1, 2]);
    expect(newCall().inPlace(x)).toBeNull();
    tf.dispose(other);
    expect(newCall().inPlace(x)).not.toBeNull();
    backend().disposeData(x.dataId);
  });

  test('a full memory is an error that says what to do, and leaves nothing behind', () => {
    const text = (bytes: number): string =>
      `tfjs-transformers/wasm: the wasm backend's memory is full, no room for ${bytes} bytes more ` +
      '(it ends at 4 GB). Dispose of tensors, or take a smaller batch or model.';
    const before = tf.backend().numDataIds();
    const malloc = jest.spyOn(backend().wasm, '_malloc').mockReturnValue(0);
    try {
      expect(() => newCall().output([3, 5])).toThrow(text(60));
      expect(() => newCall().output([3], 'bool')).toThrow(text(3));
      expect(() => newCall().withScratch(64, (at) => at)).toThrow(text(64));
    } finally {
      malloc.mockRestore();
    }
    expect(tf.backend().numDataIds()).toBe(before);
  });

  test('more than the memory can ever hold is that error too', () => {
    const numbers = 1.5 * 2 ** 28; // 1.5 GB of them, and the memory ends at 4
    const call = newCall();
    const held = [call.output([numbers]), call.output([numbers])];
    expect(() => call.output([numbers])).toThrow("the wasm backend's memory is full");
    for (const { dataId } of held) backend().disposeData(dataId);
    expectClose(tf.add(tf.tensor1d([1]), 1), [2]);
  });
});
