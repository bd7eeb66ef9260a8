import * as tf from '@tensorflow/tfjs';
import {
  CheckError,
  checkGradients,
  type GradientOptions,
  type GradientReport,
} from '../../src/testing/index.js';
import { normal } from '../../src/util/random.js';
import { describeBackends } from '../support/backends.js';

type Named = Record<string, tf.Tensor>;

/** Normal numbers, the same on every run. */
function random(shape: number[], call = 0): tf.Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return tf.tensor(normal(7, call, count), shape);
}

/** A check that must fail: what it threw; asserts that no tensor is left. */
async function failure(
  fn: (...tensors: never[]) => tf.Tensor,
  inputs: tf.Tensor[] | Record<string, tf.Tensor>,
  options?: GradientOptions,
): Promise<CheckError<GradientReport>> {
  const before = tf.memory().numTensors;
  const error: unknown = await checkGradients(fn as never, inputs as never, options).catch(
    (thrown: unknown) => thrown,
  );
  expect(tf.memory().numTensors).toBe(before);
  expect(error).toBeInstanceOf(CheckError);
  return error as CheckError<GradientReport>;
}

/** A function with a gradient of our choice. */
function withGradient(
  value: (x: tf.Tensor) => tf.Tensor,
  gradient: (dy: tf.Tensor, x: tf.Tensor) => tf.Tensor,
): (x: tf.Tensor) => tf.Tensor {
  return tf.customGrad((x: tf.Tensor | tf.GradSaveFunc, save) => {
    (save as tf.GradSaveFunc)([x as tf.Tensor]);
    return {
      value: value(x as tf.Tensor),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => gradient(dy, saved[0]),
    };
  }) as (x: tf.Tensor) => tf.Tensor;
}

describeBackends('checkGradients: right gradients pass', () => {
  const smooth: [string, () => Promise<GradientReport>][] = [
    ['product', () => checkGradients((a, b) => tf.mul(a, b), [random([3, 5]), random([3, 5], 1)])],
    ['matMul', () => checkGradients((a, b) => tf.matMul(a, b), [random([3, 5]), random([5, 7], 1)])],
    ['softmax', () => checkGradients((x) => tf.softmax(x), [random([3, 7])])],
    ['exp of large numbers', () => checkGradients((x) => tf.exp(x), [tf.mul(random([11]), 4)])],
    ['log near 0', () => checkGradients((x) => tf.log(x), [tf.tensor1d([0.05, 1, 2, 0.03])])],
    ['deep tanh', () => checkGradients((x) => [1, 2, 3, 4, 5, 6].reduce((y) => tf.tanh(tf.mul(y, 1.5)), x), [random([13])])],
    ['small weights', () => checkGradients((x, w) => tf.tanh(tf.matMul(x, w)), [random([5, 3]), tf.mul(random([3, 2]), 1e-3)])],
    ['weights that are 0', () => checkGradients((x, w) => tf.tanh(tf.matMul(x, w)), [random([5, 3]), tf.zeros([3, 2])])],
    ['one tensor twice', () => { const x = random([5]); return checkGradients((a, b) => tf.mul(a, b), [x, x]); }],
    ['a scalar', () => checkGradients((x) => tf.square(x), [tf.scalar(3)])],
  ]; // prettier-ignore

  test.each(smooth)('%s, to 3e-4', async (_, run) => {
    const report = await run();
    expect(report.passed).toBe(true);
    for (const check of report.inputs) {
      expect(check.relativeError).toBeLessThan(3e-4);
      expect(check.uncertainty).toBeLessThan(3e-3);
    }
  });

  test('kinks: relu and max', async () => {
    for (let call = 0; call < 20; call++) {
      expect((await checkGradients((x) => tf.relu(x), [random([101], call)])).passed).toBe(true);
      expect((await checkGradients((x) => tf.max(x, 1), [random([7, 11], call)])).passed).toBe(
        true,
      );
    }
  });

  test('kinks that lie closer together than the steps', async () => {
    // Zeros in front of ReLUs, as biases are: six kinks an element within one step.
    const kinked = (seed: number, factor: number): Promise<unknown> => {
      const [kinks, slopes] = [tf.mul(0.001, random([6, 7], seed)), random([6, 7], seed + 1)];
      const scaled = withGradient(tf.clone, (dy) => tf.mul(dy, factor));
      return checkGradients(
        (bias) => tf.mul(slopes, tf.relu(tf.sub(scaled(bias), kinks))),
        [tf.zeros([1, 7])],
      );
    };
    for (const seed of [1, 49, 67, 72, 97]) {
      // in four of them the points close by have kinks as well
      await kinked(seed, 1);
      await expect(kinked(seed, 1.1)).rejects.toThrow(CheckError);
    }
  });

  test('maps of inputs and outputs; int32 and bool are passed through', async () => {
    const report = await checkGradients(
      ({ table, ids, mask }) => ({
        rows: tf.mul(tf.square(tf.matMul(tf.oneHot(ids, 5), table)), tf.cast(mask, 'float32')),
        ids,
      }),
      {
        table: random([5, 3]),
        ids: tf.tensor1d([4, 0, 4], 'int32'),
        mask: tf.tensor2d([[1], [0], [1]], undefined, 'bool'),
      },
    );
    expect(report.inputs.map((check) => check.name)).toEqual(['table']);
    expect(report).toMatchObject({ passed: true, tolerance: 2e-3 });
  });

  test('a gradient that is 0, on the tape or in rounding, passes', async () => {
    const shift = (x: tf.Tensor, bias: tf.Tensor) => tf.softmax(tf.add(x, bias)); // a shift changes nothing
    expect((await checkGradients(shift, [random([3, 5]), tf.scalar(1)])).passed).toBe(true);
    const unused = (x: tf.Tensor, y: tf.Tensor) => (y.size > 0 ? tf.square(x) : x);
    expect((await checkGradients(unused, [random([3]), random([3], 1)])).passed).toBe(true);
  });

  test('no tensor is left, the inputs stay', async () => {
    const x = random([3, 5]);
    const before = tf.memory().numTensors;
    await checkGradients((t) => tf.tanh(tf.mul(t, t)), [x]);
    await checkGradients((t) => t, [x]);
    expect(tf.memory().numTensors).toBe(before);
    x.dispose();
  });
});

describeBackends('checkGradients: wrong gradients fail', () => {
  const square = (factor: number) =>
    withGradient(
      (x) => tf.square(x),
      (dy, x) => tf.mul(tf.mul(dy, x), 2 * factor),
    );

  test.each([1.01, 0.99, 1.005, 0.5, -1, 0])('a factor of %d', async (factor) => {
    const error = await failure(square(factor), [random([3, 5])]);
    expect(error.message).toMatch(
      /^checkGradients: the gradient of 'inputs\[0\]' is wrong, worst found at \[\d,\d\]: tape=/,
    );
    expect(error.report.passed).toBe(false);
    const [check] = error.report.inputs;
    expect(check.relativeError).toBeCloseTo(
      factor === -1 ? 2 : factor === 0.5 ? 0.5 : Math.abs(1 - factor),
      2,
    );
    expect(check.worst!.finiteDifference * factor).toBeCloseTo(check.worst!.tape, 1);
  });

  test('one element of 1,001, and its place', async () => {
    const wrong = 613;
    const fn = withGradient(
      (x) => tf.tanh(x),
      (dy, x) => {
        const right = tf.mul(dy, tf.sub(1, tf.square(tf.tanh(x))));
        const one = tf.oneHot(tf.scalar(wrong, 'int32'), 1001);
        return tf.add(right, tf.reshape(one, [7, 11, 13]));
      },
    );
    const error = await failure(({ x }: Named) => fn(x), { x: random([7, 11, 13]) });
    const place = [4, 3, 2].join(','); // 613 = (4·11 + 3)·13 + 2
    expect(error.message).toContain(
      `the gradient of 'x' is wrong, worst found at [${place}]: tape=`,
    );
  });

  test('a term that is missing: only through one of two paths', async () => {
    const detach = withGradient(
      (x) => tf.clone(x),
      (dy) => tf.zerosLike(dy),
    );
    const error = await failure(({ a, b }: Named) => tf.add(tf.mul(a, detach(b)), tf.sin(b)), {
      a: random([5]),
      b: random([5], 1),
    });
    expect(error.message).toMatch(/the gradient of 'b' is wrong, worst found at \[\d\]/);
    expect(error.report.inputs.map((check) => check.passed)).toEqual([true, false]);
  });

  test('no path on the tape at all', async () => {
    const fn = (x: tf.Tensor) => tf.tensor(Array.from(x.dataSync()).map((value) => value ** 2));
    const error = await failure(fn, [tf.tensor1d([1, 2, 3])]);
    expect(error.report.inputs[0]).toMatchObject({ tape: 0, relativeError: 1 });
  });

  test('transposed', async () => {
    const a = random([5, 5], 3);
    const fn = withGradient(
      (x) => tf.matMul(x, a),
      (dy) => tf.matMul(dy, a), // right: dy · aᵀ
    );
    const error = await failure(fn, [random([5, 5])]);
    expect(error.report.inputs[0].relativeError).toBeGreaterThan(0.1);
  });

  test('NaN: named with its place and the number that was due', async () => {
    const fn = withGradient(
      (x) => tf.square(x),
      (dy, x) => tf.mul(dy, tf.div(tf.mul(tf.mul(x, x), 2), x)), // 0/0 at 0
    );
    const error = await failure(fn, [tf.tensor2d([[1, 2], [0, 3]])]); // prettier-ignore
    expect(error.message).toMatch(/worst found at \[1,0\]: tape=NaN, finite difference=-?0\.0*/);
  });

  test('several wrong ones are all named, the worst first', async () => {
    const error = await failure(
      ({ a, b, c }: Named) => tf.addN([square(1.1)(a), square(3)(b), tf.square(c)]),
      {
        a: random([5]),
        b: random([5], 1),
        c: random([5], 2),
      },
    );
    expect(error.message).toMatch(
      /^checkGradients: the gradient of 'b' is wrong.*Wrong as well: 'a'\.$/,
    );
  });

  test('a function that jumps everywhere', async () => {
    const fn = withGradient(
      (x) => tf.floor(tf.mul(x, 30_000)),
      (dy) => tf.zerosLike(dy),
    );
    const error = await failure(fn, [random([3])]);
    expect(error.message).toMatch(
      /the gradient of 'inputs\[0\]' (cannot be checked: .*do not settle|is wrong)/,
    );
  });

  test('the tolerance is the one that was asked for', async () => {
    const x = random([5]);
    expect((await checkGradients(square(1.01), [x], { tolerance: 0.02 })).passed).toBe(true);
    await failure(square(1.001), [x], { tolerance: 5e-4, directions: 1, seed: 3 });
  });
});

describe('checkGradients: bad input', () => {
  const x = () => tf.tensor1d([1, 2]);
  const cases: [string, () => Promise<unknown>, string][] = [
    ['no float input', () => checkGradients((t) => t, [tf.tensor1d([1], 'int32')]), 'checkGradients: needs at least one float32 input to differentiate by, got none.'],
    ['no tensor', () => checkGradients((t) => t, [3 as never]), 'checkGradients: inputs[0] must be a tensor, got number.'],
    ['int output', () => checkGradients((t) => tf.cast(t, 'int32'), [x()]), 'checkGradients: at least one output must be a float32 tensor, got int32.'],
    ['random', () => checkGradients((t) => tf.add(t, tf.randomNormal([2])), [x()]), 'checkGradients: the outputs must be the same each time, got weighted sums'],
    ['NaN', () => checkGradients((t) => tf.log(tf.neg(t)), [x()]), 'checkGradients: outputs must be finite, got a weighted sum of NaN.'],
    ['unknown option', () => checkGradients((t) => t, [x()], { tolerence: 1 } as never), "checkGradients: unknown option 'tolerence'."],
    ['directions', () => checkGradients((t) => t, [x()], { directions: 0 }), 'checkGradients: directions must be an integer of at least 1, got directions=0.'],
  ]; // prettier-ignore
  test.each(cases)('%s', async (_, run, text) => {
    await expect(run()).rejects.toThrow(text);
  });
});
