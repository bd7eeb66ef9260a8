/** Transpositions and clones as `accelerate` makes them. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { accelerate } from '../../../src/kernels/wasm/accelerate.js';
import { describeKernels } from '../../support/backends.js';
import { randomTensor } from '../../support/check_directional.js';
import { expectIdentical } from '../../support/expect_close.js';

/** What a transposition gives, worked out element by element. */
function transposed(values: ArrayLike<number>, shape: number[], perm: number[]): number[] {
  const steps = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const outShape = perm.map((axis) => shape[axis]);
  const size = outShape.reduce((a, b) => a * b, 1);
  return Array.from({ length: size }, (_, flat) => {
    let at = 0;
    for (let i = perm.length - 1; i >= 0; i--) {
      at += (flat % outShape[i]) * steps[perm[i]];
      flat = Math.floor(flat / outShape[i]);
    }
    return values[at];
  });
}

describeKernels('transpose kernel', () => {
  let restore: () => void;
  beforeAll(() => {
    restore = accelerate();
  });
  afterAll(() => restore());
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  const check = (shape: number[], perm: number[], dtype: 'float32' | 'int32' | 'bool'): void => {
    tf.tidy(() => {
      const size = shape.reduce((a, b) => a * b, 1);
      const values = Array.from({ length: size }, (_, i) =>
        dtype === 'bool' ? (i % 3) & 1 : i - 5,
      );
      const y = tf.transpose(tf.tensor(values, shape, dtype), perm);
      expect(y.dtype).toBe(dtype);
      const expected = { shape: perm.map((axis) => shape[axis]), values };
      expectIdentical(y, { ...expected, values: transposed(values, shape, perm) });
    });
  };

  const sides = [1, 2, 3, 4, 5, 7, 8, 13, 15, 16, 17, 19, 20, 33];
  test.each(sides)('matrices of %i rows', (rows) => {
    for (const columns of sides) check([rows, columns], [1, 0], 'float32');
  });

  test('what attention needs', () => {
    for (const [shape, perm] of [
      [
        [2, 7, 3, 5],
        [0, 2, 1, 3],
      ],
      [
        [2, 7, 3, 5],
        [0, 2, 3, 1],
      ],
      [
        [2, 3, 130, 67],
        [0, 1, 3, 2],
      ],
      [
        [1, 33, 4, 300],
        [0, 2, 1, 3],
      ],
    ]) {
      check(shape, perm, 'float32');
    }
  });

  test('any axes of any type', () => {
    const cases = fc
      .array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 })
      .chain((shape) =>
        fc.record({
          shape: fc.constant(shape),
          perm: fc.shuffledSubarray(
            shape.map((_, i) => i),
            { minLength: shape.length },
          ),
          dtype: fc.constantFrom('float32' as const, 'int32' as const, 'bool' as const),
        }),
      );
    fc.assert(
      fc.property(cases, ({ shape, perm, dtype }) => check(shape, perm, dtype)),
      { numRuns: 300, seed: 3 },
    );
  });

  test('no elements', () => {
    check([0, 3], [1, 0], 'float32');
    check([2, 0, 3, 5], [3, 0, 2, 1], 'int32');
  });

  test('differentiates, and leaves nothing behind', () => {
    const x = randomTensor([3, 5, 7], 1);
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const dx = tf.grad((x: tf.Tensor) => tf.square(tf.transpose(x, [2, 0, 1])))(x);
      expectIdentical(dx, tf.mul(x, 2));
    });
    expect(tf.memory().numTensors).toBe(before);
  });

  test('what changes no order shares the data, and survives the original', () => {
    const data = () => tf.engine().backend.numDataIds();
    const x = randomTensor([1, 3, 1, 5], 1);
    const values = x.arraySync() as number[][][][];
    const before = data();
    const [moved, cloned] = [tf.transpose(x, [2, 1, 0, 3]), tf.clone(x)];
    expect(data()).toBe(before);
    x.dispose();
    expectIdentical(moved, values);
    moved.dispose();
    expectIdentical(cloned, values);
    cloned.dispose();
    expect(data()).toBe(before - 1);
  });

  test('strings are cloned as before', () => {
    const x = tf.tensor1d(['a', 'bc']);
    expect(tf.clone(x).arraySync()).toEqual(['a', 'bc']);
  });
});
