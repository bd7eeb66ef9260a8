import * as tf from '@tensorflow/tfjs';
import { accelerate } from '../../../src/kernels/wasm/accelerate.js';
import { KernelCall } from '../../../src/kernels/wasm/kernel.js';
import { type WasmBackend } from '../../../src/kernels/wasm/module.js';
import { unaryKernels } from '../../../src/kernels/wasm/unary.js';
import { describeKernels } from '../../support/backends.js';
import { randomTensor } from '../../support/check_directional.js';
import { expectClose } from '../../support/expect_close.js';
import { kernelModule } from '../../support/wasm_array.js';

/** What one of the kernels returns: those of XNNPACK, too, are replaced where multiply-add is fused on one thread. */
function attempt(
  name: string,
  inputs: Record<string, tf.Tensor>,
  module = { fused: true, threads: 1 },
): tf.TensorInfo | null {
  const kernel = unaryKernels.find((candidate) => candidate.name === name)!;
  const backend = tf.backend() as unknown as WasmBackend;
  Object.values(inputs).forEach((input) => input.dataSync()); // puts them into the backend's memory
  return kernel.attempt(new KernelCall(inputs, {}, backend, { ...kernelModule(), ...module }));
}

function run(name: string, inputs: Record<string, tf.Tensor>): tf.Tensor {
  return tf.engine().makeTensorFromTensorInfo(attempt(name, inputs)!);
}

describeKernels("versions of TensorFlow.js' own kernels", () => {
  test.each([
    ['Exp', tf.exp],
    ['Tanh', tf.tanh],
    ['Erf', tf.erf],
    ['Sigmoid', tf.sigmoid],
  ] as const)('%s is like its own', (name, own) => {
    for (const shape of [[], [0], [1], [3], [7], [5, 7], [2, 3, 5, 7]]) {
      const x = randomTensor(shape, 1, 3);
      expectClose(run(name, { x }), own(x), { atol: 1e-6 });
    }
  });

  test.each([[[1]], [[3]], [[2, 16]], [[5, 7]], [[0, 3]], [[3, 0]], [[2, 3, 257]], [[2, 5003]]])(
    'Softmax is like its own, shape %j',
    (shape) => {
      const logits = randomTensor(shape as number[], 1, 5);
      const y = run('Softmax', { logits });
      if (logits.size === 0) expect(y.shape).toEqual(shape);
      else expectClose(y, tf.softmax(logits), { atol: 1e-7, rtol: 2e-6 });
    },
  );

  test('Softmax of large, removed and equal entries', () => {
    const logits = tf.tensor([
      [1e30, 1e30, -1e30, -1e9],
      [-1e9, -1e9, -1e9, -1e9],
      [1000, 0, -Infinity, 1000],
    ]);
    const [half, quarter] = [0.5, 0.25];
    expectClose(run('Softmax', { logits }), [
      [half, half, 0, 0],
      [quarter, quarter, quarter, quarter],
      [half, 0, 0, half],
    ]);
  });

  test.each([
    ['Exp', true, true],
    ['Tanh', true, true],
    ['Erf', true, true],
    ['Sigmoid', false, false],
    ['Softmax', false, false],
  ])('%s is left to the backend where that is faster', (name, plain, threaded) => {
    const input = tf.zeros([2, 3]);
    const inputs = { [name === 'Softmax' ? 'logits' : 'x']: input };
    const takes = (fused: boolean, threads: number): boolean => {
      const output = attempt(name, inputs, { fused, threads });
      if (output) tf.engine().makeTensorFromTensorInfo(output).dispose();
      return output !== null;
    };
    expect(takes(true, 1)).toBe(true);
    expect(takes(false, 1)).toBe(plain);
    expect(takes(true, 4)).toBe(threaded);
  });

  test('integers are left to the backend', () => {
    const integers = tf.tensor([1, 2], [2], 'int32');
    for (const name of ['Exp', 'Tanh', 'Erf', 'Sigmoid']) {
      expect(attempt(name, { x: integers })).toBeNull();
    }
    expect(attempt('Softmax', { logits: integers })).toBeNull();
  });

  test('accelerate puts them in place and takes them back', () => {
    const x = tf.tensor([0, 1]);
    const originals = unaryKernels.map(({ name }) => tf.getKernel(name, 'wasm'));
    const undo = accelerate();
    try {
      unaryKernels.forEach(({ name }, i) =>
        expect(tf.getKernel(name, 'wasm')).not.toBe(originals[i]),
      );
      expectClose(tf.exp(x), [1, Math.E]);
      expectClose(tf.tanh(x), [0, Math.tanh(1)]);
      expectClose(tf.erf(x), [0, 0.8427008]);
      expectClose(tf.sigmoid(x), [0.5, 1 / (1 + Math.exp(-1))]);
      expectClose(tf.softmax(x), [1 / (1 + Math.E), Math.E / (1 + Math.E)]);
    } finally {
      undo();
    }
    unaryKernels.forEach(({ name }, i) => expect(tf.getKernel(name, 'wasm')).toBe(originals[i]));
  });
});
