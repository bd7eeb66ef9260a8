import * as tf from '@tensorflow/tfjs';
import type { WasmBackend } from '../../../src/kernels/wasm/module.js';
import type { AdamWStep } from '../../../src/ops/adam_w_step.js';
import { adamWUpdate } from '../../../src/ops/adam_w_update.js';
import { forcePath, type Path } from '../../../src/ops/dispatch.js';
import { describeKernels } from '../../support/backends.js';
import { randomTensor } from '../../support/check_directional.js';
import { expectClose, expectIdentical } from '../../support/expect_close.js';

const numbers: AdamWStep = { beta1: 0.9, beta2: 0.95, rate: 0.03, epsilon: 1e-6 };

const pointer = (x: tf.Tensor): number =>
  (tf.backend() as unknown as WasmBackend).dataIdMap.get(x.dataId)!.memoryOffset;

/** A weight, its moments and gradients of some steps. */
class Weight {
  readonly weight: tf.Variable;
  readonly first: tf.Variable;
  readonly second: tf.Variable;
  readonly gradients: tf.Tensor[];

  constructor(
    readonly shape: number[],
    readonly keep: number,
    seed: number,
  ) {
    const variable = (x: tf.Tensor): tf.Variable => tf.tidy(() => tf.variable(x));
    this.weight = tf.tidy(() => variable(randomTensor(shape, seed)));
    this.first = tf.tidy(() => variable(tf.mul(randomTensor(shape, seed + 1), 0.1)));
    this.second = tf.tidy(() => variable(tf.square(randomTensor(shape, seed + 2))));
    this.gradients = [3, 4, 5].map((i) => randomTensor(shape, seed + i));
  }

  get variables(): tf.Variable[] {
    return [this.weight, this.first, this.second];
  }

  at(step: number) {
    const { weight, first, second, keep } = this;
    return { weight, first, second, gradient: this.gradients[step], keep };
  }

  dispose(): void {
    tf.dispose([this.variables, this.gradients]);
  }
}

/** Three steps of weights of many sizes; what the variables hold then, clones of nothing. */
function train(path: Path, step: AdamWStep, before?: (weights: Weight[]) => void): Float32Array[] {
  const sizes = [[1], [2, 2], [5], [], [3, 5, 2], [16], [131], [0, 3]];
  const weights = sizes.map((shape, i) => new Weight(shape, i % 2 ? 1 : 0.99, 10 * i));
  before?.(weights);
  for (let i = 0; i < 3; i++) {
    const entries = weights.map((weight) => weight.at(i));
    forcePath(path, () => adamWUpdate(entries, step));
  }
  const values = weights.flatMap(({ variables }) => variables.map((v) => v.dataSync<'float32'>()));
  weights.forEach((weight) => weight.dispose());
  return values;
}

describeKernels('AdamW kernel', () => {
  test('like the reference, with and without a scale', () => {
    const scale = tf.scalar(0.37);
    for (const step of [numbers, { ...numbers, scale }, { ...numbers, rate: 0, epsilon: 1 }]) {
      const before = tf.memory();
      const expected = train('reference', step);
      const actual = train('kernel', step);
      expect(tf.memory()).toEqual(before);
      actual.forEach((values, i) =>
        expectClose(
          tf.tensor1d(values),
          { shape: [values.length], values: expected[i] },
          { atol: 1e-6, rtol: 1e-6 },
        ),
      );
    }
  });

  test('works in the memory of the moments', () => {
    const weight = new Weight([67], 1, 1);
    const places = weight.variables.map(pointer);
    forcePath('kernel', () => adamWUpdate([weight.at(0)], numbers));
    expect(weight.variables.map(pointer).slice(1)).toEqual(places.slice(1));
    weight.dispose();
  });

  test('a product of TensorFlow.js sees the new weight, not the copy that it packed before', () => {
    const weight = new Weight([3, 5], 1, 1);
    const x = tf.tensor2d([1, 2, 3], [1, 3]);
    const product = (): tf.Tensor => tf.matMul(x, weight.weight as unknown as tf.Tensor2D);
    product().dispose();
    forcePath('kernel', () => adamWUpdate([weight.at(0)], numbers));
    const values = weight.weight.dataSync();
    const expected = [0, 1, 2, 3, 4].map((j) =>
      [0, 1, 2].reduce((sum, i) => sum + (i + 1) * values[5 * i + j], 0),
    );
    expectClose(product(), { shape: [1, 5], values: expected }, { atol: 1e-5 });
    weight.dispose();
  });

  test('data that another tensor shares keeps its values, and the result is the same to the bit', () => {
    const alone = train('kernel', numbers);
    let held: [tf.Tensor, Float32Array][] = [];
    const shared = train('kernel', numbers, (weights) => {
      const all = weights.flatMap(({ variables }) => variables);
      held = all.map((x) => [tf.keep(tf.reshape(x, [x.size])), x.dataSync<'float32'>()]);
    });
    expect(shared).toEqual(alone);
    for (const [tensor, values] of held) {
      expectIdentical(tensor, { shape: [values.length], values });
      tensor.dispose();
    }
  });

  test('a gradient that is the weight itself', () => {
    const results = (['kernel', 'reference'] as const).map((path) => {
      const weight = new Weight([9], 0.9, 5);
      const gradient = tf.reshape(weight.weight, [9]);
      forcePath(path, () => adamWUpdate([{ ...weight.at(0), gradient }], numbers));
      const values = weight.weight.dataSync();
      gradient.dispose();
      weight.dispose();
      return tf.tensor1d(values);
    });
    expectClose(results[0], results[1], { atol: 1e-6 });
    tf.dispose(results);
  });

  test('NaN goes where its gradient goes', () => {
    const weight = new Weight([6], 1, 2);
    const gradient = tf.tensor1d([1, 2, NaN, 4, NaN, 6]);
    forcePath('kernel', () => adamWUpdate([{ ...weight.at(0), gradient }], numbers));
    for (const variable of weight.variables)
      expectIdentical(tf.isNaN(variable), [0, 0, 1, 0, 1, 0]);
    gradient.dispose();
    weight.dispose();
  });
});
