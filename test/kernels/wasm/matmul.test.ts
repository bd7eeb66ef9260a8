import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { KernelCall } from '../../../src/kernels/wasm/kernel.js';
import { matmul, type Product } from '../../../src/kernels/wasm/matmul.js';
import { moduleOf, type WasmBackend } from '../../../src/kernels/wasm/module.js';
import { normal } from '../../../src/util/random.js';
import { describeKernels } from '../../support/backends.js';
import { expectClose, expectIdentical } from '../../support/expect_close.js';

/** What a test multiplies; absent flags are false. */
type Case = Pick<
  Product,
  'm' | 'n' | 'k' | 'transposeA' | 'transposeB' | 'batch' | 'sharedA' | 'sharedB'
> & { hasBias?: boolean };

/** Random numbers that all operands are cut from: making new ones would take most of the time. */
const numbers = normal(1, 0, 20_011);

function cut(start: number, size: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => numbers[(start + i) % numbers.length]);
}

/** Numbers of the operands of a case. */
function operands(c: Case): { a: Float32Array; b: Float32Array; bias: Float32Array } {
  const { m, n, k, batch = 1 } = c;
  return {
    a: cut(0, (c.sharedA ? 1 : batch) * m * k),
    b: cut(7001, (c.sharedB ? 1 : batch) * k * n),
    bias: cut(13007, n),
  };
}

/** The product by the kernel, as a tensor [batch, m, n]. */
function byKernel(c: Case, { a, b, bias } = operands(c)): tf.Tensor {
  const { m, n, batch = 1 } = c;
  const backend = tf.backend() as unknown as WasmBackend;
  const call = new KernelCall({}, {}, backend, moduleOf(backend)!);
  const inputs = [tf.tensor1d(a), tf.tensor1d(b), tf.tensor1d(bias)];
  const output = call.output([batch, m, n]);
  const [pa, pb, pBias] = inputs.map((tensor) => call.pointer(tensor));
  matmul(call, { ...c, a: pa, b: pb, c: call.pointer(output), bias: c.hasBias ? pBias : 0 });
  tf.dispose(inputs);
  return tf.engine().makeTensorFromTensorInfo(output);
}

/** The same in double precision, by the definition. */
function byDefinition(c: Case, { a, b, bias } = operands(c)): Float64Array {
  const { m, n, k, batch = 1 } = c;
  const y = new Float64Array(batch * m * n);
  for (let x = 0; x < batch; x++) {
    const [A, B] = [c.sharedA ? 0 : x * m * k, c.sharedB ? 0 : x * k * n];
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = c.hasBias ? bias[j] : 0;
        for (let p = 0; p < k; p++) {
          const left = a[A + (c.transposeA ? p * m + i : i * k + p)];
          sum += left * b[B + (c.transposeB ? j * k + p : p * n + j)];
        }
        y[(x * m + i) * n + j] = sum;
      }
    }
  }
  return y;
}

function expectProduct(c: Case, tolerance = 1e-6): void {
  const product = byKernel(c);
  const atol = tolerance * (4 + c.k); // the sum's terms are about 1
  const shape = [c.batch ?? 1, c.m, c.n];
  expectClose(product, { shape, values: byDefinition(c) }, { atol, rtol: 1e-6 });
  product.dispose();
}

const SIZES = [0, 1, 2, 3, 5, 7, 8, 9, 13, 17, 31, 64, 65, 129];
const FLAGS = [false, true];

describeKernels('matmul', () => {
  test('a product known on paper', () => {
    const a = Float32Array.of(1, 2, 3, 4, 5, 6);
    const b = Float32Array.of(1, 0, 2, 0, 1, 3);
    const bias = Float32Array.of(10, 20, 30);
    const given = { a, b, bias };
    expectClose(byKernel({ m: 3, n: 3, k: 2, hasBias: true }, given), [
      [
        [11, 22, 38],
        [13, 24, 48],
        [15, 26, 58],
      ],
    ]);
    // The same numbers read as [k, m] and [n, k].
    const transposed = { m: 3, n: 3, k: 2, transposeA: true, transposeB: true };
    expectClose(byKernel(transposed, given), [
      [
        [1, 2, 13],
        [2, 4, 17],
        [3, 6, 21],
      ],
    ]);
  });

  describe.each(FLAGS)('transposeA %s', (transposeA) => {
    test.each(FLAGS)('transposeB %s: all combinations of sizes', (transposeB) => {
      let at = 0;
      for (const m of SIZES) {
        for (const n of SIZES) {
          // Every third combination; each pair of sizes occurs.
          for (const k of SIZES) {
            if (at++ % 3 === 0 && m * n * k < 200_000)
              expectProduct({ m, n, k, transposeA, transposeB, hasBias: at % 2 === 0 });
          }
        }
      }
    });

    test.each(FLAGS)('transposeB %s: sizes beyond a block of the cache', (transposeB) => {
      for (const [m, n, k] of [
        [5, 1061, 257],
        [19, 67, 1031],
        [2, 4099, 9],
        [1, 17, 5003],
        [1031, 1, 67],
        [301, 5, 523],
        [2061, 6, 67],
        [3, 21, 131],
      ])
        expectProduct({ m, n, k, transposeA, transposeB, hasBias: true });
    });
  });

  test('random sizes, flags and batches', () => {
    const size = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 21, max: 70 }));
    const flag = fc.boolean();
    fc.assert(
      fc.property(
        fc.record({
          ...{ m: size, n: size, k: size, batch: fc.integer({ min: 0, max: 4 }) },
          ...{ transposeA: flag, transposeB: flag, sharedA: flag, sharedB: flag, hasBias: flag },
        }),
        (c) => expectProduct(c),
      ),
      { numRuns: 300 },
    );
  });

  test('repeats bit for bit', () => {
    for (const [m, n, k] of [
      [1, 65, 129],
      [2, 65, 129],
      [7, 33, 300],
      [33, 47, 300],
    ]) {
      const [first, second] = [byKernel({ m, n, k }), byKernel({ m, n, k })];
      expectIdentical(second, first);
      tf.dispose([first, second]);
    }
  });

  test.each([
    [4, 8, 3],
    [5, 13, 7],
    [1, 13, 9],
    [2, 13, 9],
    [30, 3, 70],
    [21, 19, 5],
  ])('NaN and Infinity [%i, %i, %i] go where their terms go, and nowhere else', (m, n, k) => {
    for (const transposeA of FLAGS) {
      for (const transposeB of FLAGS) {
        const c = { m, n, k, transposeA, transposeB };
        const given = operands(c);
        // Row m−1 of A has a NaN, column 0 of B an infinity that meets a zero.
        given.a[transposeA ? m - 1 : (m - 1) * k] = NaN;
        given.b[0] = Infinity;
        given.a[0] = m > 1 ? 0 : NaN;
        const product = byKernel(c, given);
        const values = byDefinition(c, given);
        expect(Number.isNaN(values[0])).toBe(true); // 0·∞
        expectClose(product, { shape: [1, m, n], values }, { atol: 1e-4 });
        product.dispose();
      }
    }
  });

  test('writes nothing outside its output', () => {
    const backend = tf.backend() as unknown as WasmBackend;
    const call = new KernelCall({}, {}, backend, moduleOf(backend)!);
    for (const [m, n, k] of [
      [1, 3, 5],
      [2, 5, 9],
      [5, 9, 3],
      [13, 21, 17],
      [33, 2, 66],
      [1029, 7, 5],
    ]) {
      for (const [transposeA, transposeB] of FLAGS.flatMap((x) => FLAGS.map((y) => [x, y]))) {
        const around = call.output([16 + m * n + 16]);
        const memory = (): Float32Array =>
          new Float32Array(backend.wasm.HEAPU8.buffer, call.pointer(around), 32 + m * n);
        memory().fill(7);
        const inputs = [tf.ones([m * k]), tf.ones([k * n])];
        const [a, b] = inputs.map((tensor) => call.pointer(tensor));
        matmul(call, { a, b, c: call.pointer(around) + 64, m, n, k, transposeA, transposeB });
        const expected = new Float32Array(32 + m * n).fill(7);
        expected.fill(k, 16, 16 + m * n);
        expect(memory()).toEqual(expected);
        tf.dispose(inputs);
        backend.disposeData(around.dataId);
      }
    }
  });

  test('survives the growth of the memory between its allocations', () => {
    const c = { m: 9, n: 11, k: 13 };
    const backend = tf.backend() as unknown as WasmBackend;
    const call = new KernelCall({}, {}, backend, moduleOf(backend)!);
    const { a, b } = operands(c);
    const inputs = [tf.tensor1d(a), tf.tensor1d(b)];
    const output = call.output([1, 9, 11]);
    const bytes = backend.wasm.HEAPU8.length;
    const large: tf.Tensor[] = [];
    const grow = KernelCall.prototype.withScratch;
    const spy = jest.spyOn(call, 'withScratch').mockImplementation((size, body) =>
      grow.call(call, size, (pointer) => {
        while (backend.wasm.HEAPU8.length === bytes) large.push(tf.zeros([2 ** 22]));
        return body(pointer);
      }),
    );
    const [pa, pb] = inputs.map((tensor) => call.pointer(tensor));
    matmul(call, { ...c, a: pa, b: pb, c: call.pointer(output) });
    spy.mockRestore();
    expect(backend.wasm.HEAPU8.length).toBeGreaterThan(bytes);
    const product = tf.engine().makeTensorFromTensorInfo(output);
    expectClose(product, { shape: [1, 9, 11], values: byDefinition(c) });
    tf.dispose([product, ...inputs, ...large]);
  });
});
