import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { accelerate } from 'tfjs-transformers/wasm';
import { moduleOf, type WasmBackend } from '../../../src/kernels/wasm/module.js';
import { describeKernels, expectNoLeak } from '../../support/backends.js';
import { randomTensor } from '../../support/check_directional.js';
import { expectClose } from '../../support/expect_close.js';

describeKernels('accelerate', () => {
  let restore = (): void => undefined;
  const kernel = (name: string): tf.KernelFunc => tf.getKernel(name, 'wasm').kernelFunc;
  const originals = { BatchMatMul: kernel('BatchMatMul'), _FusedMatMul: kernel('_FusedMatMul') };

  beforeEach(() => (restore = accelerate()));
  afterEach(() => restore());

  /** The product in plain operations, of float32 alone: Σ over a new axis. */
  const definition = (a: tf.Tensor, b: tf.Tensor, transposeA = false, transposeB = false) =>
    tf.tidy(() => {
      const swap = (x: tf.Tensor): tf.Tensor =>
        tf.transpose(x, [...x.shape.slice(0, -2).map((_, i) => i), ...[x.rank - 1, x.rank - 2]]);
      const left = tf.expandDims(transposeA ? swap(a) : a, -1); // [..., m, k, 1]
      const right = tf.expandDims(transposeB ? swap(b) : b, -3); // [..., 1, k, n]
      return tf.sum(tf.mul(left, right), -2);
    });

  test('replaces both products once, and puts the originals back', () => {
    const ours = kernel('BatchMatMul');
    expect(ours).not.toBe(originals.BatchMatMul);
    expect(kernel('_FusedMatMul')).not.toBe(originals._FusedMatMul);
    expect(accelerate()).toBe(restore);
    expect(kernel('BatchMatMul')).toBe(ours);
    restore();
    expect(kernel('BatchMatMul')).toBe(originals.BatchMatMul);
    expect(kernel('_FusedMatMul')).toBe(originals._FusedMatMul);
    restore(); // again: nothing
    expect(kernel('BatchMatMul')).toBe(originals.BatchMatMul);
    restore = accelerate();
    expect(kernel('BatchMatMul')).not.toBe(originals.BatchMatMul);
  });

  test('leaves a kernel that somebody else has put over it', () => {
    const other = { ...tf.getKernel('BatchMatMul', 'wasm') };
    tf.unregisterKernel('BatchMatMul', 'wasm');
    tf.registerKernel(other);
    restore();
    expect(tf.getKernel('BatchMatMul', 'wasm')).toBe(other);
    tf.unregisterKernel('BatchMatMul', 'wasm');
    tf.registerKernel({ ...other, kernelFunc: originals.BatchMatMul });
  });

  test.each([
    [
      [3, 5],
      [5, 7],
    ],
    [
      [2, 3, 5],
      [2, 5, 7],
    ],
    [
      [2, 3, 5],
      [1, 5, 7],
    ],
    [
      [1, 3, 5],
      [2, 5, 7],
    ],
    [
      [2, 3, 5],
      [5, 7],
    ],
    [
      [3, 5],
      [2, 5, 7],
    ],
    [
      [2, 1, 3, 5],
      [1, 4, 5, 7],
    ],
    [
      [2, 3, 1, 1, 5],
      [3, 2, 5, 4],
    ],
  ])('%j × %j as by definition', (shapeA, shapeB) => {
    for (const [transposeA, transposeB] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ]) {
      const swapped = (shape: number[], swap: boolean): number[] =>
        swap ? [...shape.slice(0, -2), shape[shape.length - 1], shape[shape.length - 2]] : shape;
      const a = randomTensor(swapped(shapeA, transposeA), 1);
      const b = randomTensor(swapped(shapeB, transposeB), 2);
      const product = tf.matMul(a, b, transposeA, transposeB);
      expectClose(product, definition(a, b, transposeA, transposeB));
      expectNoLeak(() => tf.matMul(a, b, transposeA, transposeB));
      tf.dispose([a, b, product]);
    }
  });

  test('no rows, no terms', () => {
    expectClose(tf.matMul(tf.zeros([0, 5]), tf.zeros([5, 3])), { shape: [0, 3], values: [] });
    expectClose(tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 3])), tf.zeros([2, 3]));
    expectClose(tf.matMul(tf.zeros([0, 2, 5]), tf.zeros([5, 3])), { shape: [0, 2, 3], values: [] });
  });

  test.each(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const)(
    'fused with a bias and %s',
    (activation) => {
      for (const [m, k, n] of [
        [5, 7, 11],
        [1, 3, 4],
        [9, 17, 2],
      ]) {
        const [a, b] = [randomTensor([m, k], 1, 2), randomTensor([k, n], 2, 2)];
        const bias = randomTensor([n], 3);
        const slopes = randomTensor([n], 4);
        const x = tf.add(definition(a, b), bias);
        const expected = {
          linear: () => x,
          relu: () => tf.relu(x),
          relu6: () => tf.relu6(x),
          elu: () => tf.elu(x),
          sigmoid: () => tf.sigmoid(x),
          leakyrelu: () => tf.leakyRelu(x, 0.3),
          prelu: () => tf.prelu(x, slopes),
        }[activation]();
        const fused = (): tf.Tensor =>
          tf.fused.matMul({
            ...{ a: a as tf.Tensor2D, b: b as tf.Tensor2D, bias, activation },
            ...{ leakyreluAlpha: 0.3, preluActivationWeights: slopes },
          });
        expectClose(fused(), expected, { atol: 2e-5 });
        expectNoLeak(fused);
      }
    },
  );

  test('a bias of more than one axis, which the original refuses', () => {
    const [a, b] = [randomTensor([3, 5], 1), randomTensor([5, 2], 2)];
    const bias = tf.tensor2d([[1, 2]]);
    const product = tf.fused.matMul({ a: a as tf.Tensor2D, b: b as tf.Tensor2D, bias });
    expectClose(product, tf.add(definition(a, b), bias));
  });

  test('what it does not take goes to the original', () => {
    const integers = tf.ones([2, 2], 'int32');
    expect(() => tf.matMul(integers, integers)).toThrow('non-float32');
    const [a, b] = [tf.ones<tf.Rank.R2>([2, 3]), tf.ones<tf.Rank.R2>([3, 2])];
    const bias = tf.ones([2, 2]);
    expect(() => tf.fused.matMul({ a, b, bias })).toThrow('only supports rank-1 bias');
  });

  test('a large plain product goes to the original where it runs on threads, and a row times a huge matrix', () => {
    const module = moduleOf(tf.backend() as unknown as WasmBackend)!;
    const spy = jest.fn(originals.BatchMatMul);
    const accelerated = (threads: number, ...at: Parameters<typeof tf.matMul>): number => {
      restore();
      const original = tf.getKernel('BatchMatMul', 'wasm');
      tf.unregisterKernel('BatchMatMul', 'wasm');
      tf.registerKernel({ ...original, kernelFunc: spy });
      restore = accelerate();
      module.threads = threads;
      spy.mockClear();
      tf.matMul(...at).dispose();
      module.threads = 1;
      restore();
      tf.unregisterKernel('BatchMatMul', 'wasm');
      tf.registerKernel(original);
      restore = accelerate();
      return spy.mock.calls.length;
    };
    const large = tf.ones([128, 128]);
    const small = tf.ones([32, 32]);
    const batched = tf.ones([2, 128, 128]);
    expect(accelerated(4, large, large)).toBe(1);
    expect(accelerated(2, large, large)).toBe(1);
    expect(accelerated(1, large, large)).toBe(0);
    expect(accelerated(4, small, small)).toBe(0);
    expect(accelerated(4, large, large, true)).toBe(0);
    expect(accelerated(4, large, large, false, true)).toBe(0);
    expect(accelerated(4, batched, batched)).toBe(0);
    expect(accelerated(4, batched, large)).toBe(0);
    const [row, huge] = [tf.zeros([1, 1024]), tf.zeros([1024, 2 ** 14])];
    expect(accelerated(1, row, huge)).toBe(1);
    expect(accelerated(1, row, tf.reshape(huge, [2 ** 14, 1024]), false, true)).toBe(0);
    tf.dispose(huge);
  });

  test('a model trains to the same weights', async () => {
    const train = async (): Promise<Float32Array> => {
      const model = tf.sequential();
      const initializer = (seed: number) => tf.initializers.glorotUniform({ seed });
      model.add(
        tf.layers.dense({
          ...{ units: 8, inputShape: [3], activation: 'relu' },
          ...{ kernelInitializer: initializer(1) as never },
        }),
      );
      model.add(tf.layers.dense({ units: 2, kernelInitializer: initializer(2) as never }));
      model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
      const [x, y] = [randomTensor([16, 3], 5), randomTensor([16, 2], 6)];
      await model.fit(x, y, { epochs: 3, batchSize: 5, shuffle: false, verbose: 0 });
      return (await model.getWeights()[0].data()) as Float32Array;
    };
    const ours = await train();
    restore();
    expectClose(tf.tensor1d(ours), tf.tensor1d(await train()));
  });

  test('random shapes, axes that broadcast, transposes', () => {
    const size = fc.integer({ min: 1, max: 9 });
    const axes = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat(2)), { maxLength: 3 });
    fc.assert(
      fc.property(size, size, size, axes, fc.boolean(), fc.boolean(), (m, k, n, batch, tA, tB) => {
        tf.tidy(() => {
          // 0: both have the axis, 1: A broadcasts, 2: B broadcasts.
          const outer = (side: number): number[] =>
            batch.map(([length, how]) => (how === side ? 1 : length));
          const a = randomTensor([...outer(1), ...(tA ? [k, m] : [m, k])], 1);
          const b = randomTensor([...outer(2), ...(tB ? [n, k] : [k, n])], 2);
          expectClose(tf.matMul(a, b, tA, tB), definition(a, b, tA, tB));
        });
      }),
      { numRuns: 100 },
    );
  });
});
