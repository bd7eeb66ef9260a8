/** Operators as layers: the numbers, shapes that are not known, gradients, saving. */
import * as tf from '@tensorflow/tfjs';
import { layers } from 'tfjs-transformers';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { expectClose } from '../support/expect_close.js';

import { saveAndLoad } from '../support/save_and_load.js';

type Operands = layers.OperatorArgs['operands'];

/** What an operator gives for tensors. */
function run(op: string, inputs: tf.Tensor[], operands?: Operands): tf.Tensor {
  return layers.operator({ op, operands }).apply(inputs) as tf.Tensor;
}

const x23 = (): tf.Tensor => tf.tensor([[1, -2, 3], [4, 5, -6]]); // prettier-ignore
const ALL = { slice: [null, null, null] };

const CASES: [string, Operands | undefined, number[], number[]][] = [
  ['add', [{ input: 0 }, 1], [2, 3], [2, -1, 4, 5, 6, -5]],
  ['subtract', [10, { input: 0 }], [2, 3], [9, 12, 7, 6, 5, 16]],
  ['average', [{ input: 0 }, { input: 0 }], [2, 3], [1, -2, 3, 4, 5, -6]],
  ['divide', [{ input: 0 }, 2], [2, 3], [0.5, -1, 1.5, 2, 2.5, -3]],
  ['maximum', [{ input: 0 }, 0], [2, 3], [1, 0, 3, 4, 5, 0]],
  ['clip', [{ input: 0 }, -1, 3], [2, 3], [1, -1, 3, 3, 3, -1]],
  ['where', [{ input: 0 }, 7, 0], [2, 3], [7, 7, 7, 7, 7, 7]],
  ['greater', [{ input: 0 }, 2], [2, 3], [0, 0, 1, 1, 1, 0]],
  ['sum', [{ input: 0 }, 1, false], [2], [2, 3]],
  ['sum', [{ input: 0 }, [0], true], [1, 3], [5, 3, -3]],
  ['mean', [{ input: 0 }], [], [5 / 6]],
  ['var', [{ input: 0 }, -1], [2], [14 / 3 - 4 / 9, 77 / 3 - 1]],
  ['argmax', [{ input: 0 }, -1], [2], [2, 1]],
  ['cumsum', [{ input: 0 }, 1], [2, 3], [1, -1, 2, 4, 9, 3]],
  ['reluWith', [{ input: 0 }, 0.5, 4, 0], [2, 3], [1, -1, 3, 4, 4, -3]],
  ['elu', [{ input: 0 }, 2], [2, 3], [1, 2 * (Math.exp(-2) - 1), 3, 4, 5, 2 * (Math.exp(-6) - 1)]],
  ['hardSigmoid', undefined, [2, 3], [4 / 6, 1 / 6, 1, 1, 1, 0]],
  ['normalize', [{ input: 0 }, -1, 1], [2, 3], [1 / 6, -2 / 6, 3 / 6, 4 / 15, 5 / 15, -6 / 15]],
  ['transpose', [{ input: 0 }, [1, 0]], [3, 2], [1, 4, -2, 5, 3, -6]],
  ['swapAxes', [{ input: 0 }, -1, -2], [3, 2], [1, 4, -2, 5, 3, -6]],
  ['reshape', [{ input: 0 }, [-1, 2]], [3, 2], [1, -2, 3, 4, 5, -6]],
  ['reshapeRows', [{ input: 0 }, [3, 1]], [2, 3, 1], [1, -2, 3, 4, 5, -6]],
  ['expandDims', [{ input: 0 }, [0, -1]], [1, 2, 3, 1], [1, -2, 3, 4, 5, -6]],
  ['concatenate', [[{ input: 0 }, { input: 0 }], 1], [2, 6], [1, -2, 3, 1, -2, 3, 4, 5, -6, 4, 5, -6]],
  ['stack', [[{ input: 0 }, { input: 0 }], -1], [2, 3, 2], [1, 1, -2, -2, 3, 3, 4, 4, 5, 5, -6, -6]],
  ['getItem', [{ input: 0 }, [ALL, 0]], [2], [1, 4]],
  ['getItem', [{ input: 0 }, [{ ellipsis: true }, { slice: [1, null, null] }]], [2, 2], [-2, 3, 5, -6]],
  ['getItem', [{ input: 0 }, [null, -1, { slice: [null, null, -1] }]], [1, 3], [-6, 5, 4]],
  ['getItem', [{ input: 0 }, [ALL, { slice: [0, 3, 2] }]], [2, 2], [1, 3, 4, -6]],
  ['take', [{ input: 0 }, [2, 0], 1], [2, 2], [3, 1, -6, 4]],
  ['flip', [{ input: 0 }, 1], [2, 3], [3, -2, 1, -6, 5, 4]],
  ['tile', [{ input: 0 }, [1, 2]], [2, 6], [1, -2, 3, 1, -2, 3, 4, 5, -6, 4, 5, -6]],
  ['repeat', [{ input: 0 }, 2, 0], [4, 3], [1, -2, 3, 1, -2, 3, 4, 5, -6, 4, 5, -6]],
  ['pad', [{ input: 0 }, [[1, 0], [0, 0]], 9], [3, 3], [9, 9, 9, 1, -2, 3, 4, 5, -6]],
  ['tril', [{ input: 0 }, 0], [2, 3], [1, 0, 0, 4, 5, 0]],
  ['triu', [{ input: 0 }, 0], [2, 3], [1, -2, 3, 0, 5, -6]],
  ['oneHot', [[0, 2], 3], [2, 3], [1, 0, 0, 0, 0, 1]],
]; // prettier-ignore

describeBackends('operator', () => {
  test.each(CASES)('%s %j', (op, operands, shape, values) => {
    expectClose(run(op, [x23()], operands), { shape, values }, { atol: 1e-5, rtol: 1e-5 });
  });

  test('products broadcast batch axes, and so do their gradients', () => {
    const a = tf.range(0, 12).reshape([2, 1, 2, 3]);
    const b = tf.range(0, 9).reshape([3, 3, 1]);
    const product = run('matmul', [a, b]);
    expect(product.shape).toEqual([2, 3, 2, 1]);
    expectClose(
      product,
      tf.matMul(tf.tile(a, [1, 3, 1, 1]), tf.tile(b.expandDims(0), [2, 1, 1, 1])),
    );
    const [da, db] = tf.grads((x, y) => tf.sum(run('matmul', [x, y])))([a, b]);
    expect([da.shape, db.shape]).toEqual([a.shape, b.shape]);
    expectClose(db.flatten(), [18, 22, 26, 18, 22, 26, 18, 22, 26]);
    expectClose(run('matmul', [tf.tensor1d([1, 2]), tf.tensor2d([[3], [4]])]), [11]);
  });

  test('einsum and dot are sums over named axes', () => {
    const x = tf.range(0, 12).reshape([2, 2, 3]);
    const codes = Array.from('bij,bkj->bik', (letter) => letter.charCodeAt(0));
    const gram = run('einsum', [x], [[{ input: 0 }, { input: 0 }], ...codes]);
    expectClose(gram, tf.matMul(x, x, false, true));
    expectClose(run('batchDot', [x], [{ input: 0 }, { input: 0 }, -1, false]), gram);
    const rows = tf.tensor2d([[3, 4]]);
    expectClose(run('batchDot', [rows], [{ input: 0 }, { input: 0 }, 1, true]), [[1]]);
  });

  test('softmax leaves out what is masked', () => {
    const mask = tf.tensor2d([[1, 0, 1], [0, 0, 0]], [2, 3], 'bool'); // prettier-ignore
    const shares = run('softmax', [x23(), mask], [{ input: 0 }, -1, { input: 1 }]);
    const e = Math.exp(-2);
    expectClose(shares, [[e / (1 + e), 0, 1 / (1 + e)], [0, 0, 0]]); // prettier-ignore
    expectClose(run('softmax', [x23()], [{ input: 0 }, 0]).sum(0), [1, 1, 1]);
  });

  test('a mask that is −1e9 times a flag hides, also where −1e9 cannot be stored', () => {
    const scores = tf.tensor([[1, 2, 3]]);
    for (const large of [-1e9, -1e30]) {
      const low = run('multiply', [tf.tensor([[0, 0, 1]])], [{ input: 0 }, large]);
      const shares = run('softmax', [run('add', [scores, low])], [{ input: 0 }, -1]);
      expectClose(shares, { shape: [1, 3], values: [0.268941, 0.731059, 0] }, { atol: 1e-5 });
    }
    const kept = run('where', [tf.tensor([[1, 1, 0]]), scores], [{ input: 0 }, { input: 1 }, -1e9]);
    expectClose(run('softmax', [kept], [{ input: 0 }, -1]), { shape: [1, 3], values: [0.268941, 0.731059, 0] }, { atol: 1e-5 }); // prettier-ignore
  });

  test('integers stay integers, and truth values have no gradient', () => {
    const ids = tf.tensor1d([0, 5], 'int32');
    expect(run('add', [ids], [{ input: 0 }, 1]).dtype).toBe('int32');
    expect(run('divide', [ids], [{ input: 0 }, 2]).dataSync()[1]).toBe(2.5);
    const kept = tf.grad((x) =>
      tf.sum(
        run('where', [run('greater', [x], [{ input: 0 }, 0]), x], [{ input: 0 }, { input: 1 }, 0]),
      ),
    )(x23());
    expectClose(kept, [[1, 0, 1], [1, 1, 0]]); // prettier-ignore
  });

  test('shapes that are not known stay so, in models that come back from saving', async () => {
    const x = tf.input({ shape: [null, 3] });
    const sum = layers.operator({ op: 'add', operands: [{ input: 0 }, 0.5] }).apply(x);
    const first = layers
      .operator({ op: 'getItem', operands: [{ input: 0 }, [ALL, 0]] })
      .apply(sum) as tf.SymbolicTensor;
    const parts = layers.operator({ op: 'split', operands: [{ input: 0 }, [1], -1] }).apply(sum);
    const [a, b] = parts as tf.SymbolicTensor[];
    expect([first.shape, a.shape, b.shape]).toEqual([[null, 3], [null, null, 1], [null, null, 2]]); // prettier-ignore
    const model = tf.model({ inputs: x, outputs: [first, a, b] });
    const again = await saveAndLoad(model);
    const input = tf.range(0, 12).reshape([2, 2, 3]);
    const [before, after] = [model, again].map((one) => one.predict(input) as tf.Tensor[]);
    before.forEach((output, i) => expectClose(after[i], output));
  });

  test('does not leak', () => {
    const x = x23();
    const layer = layers.operator({ op: 'softmax' });
    layer.apply(x);
    expectNoLeak(() => layer.apply(x) as tf.Tensor);
  });
});

test('refuses what it does not know, and constants without a place', () => {
  expect(() => layers.operator({ op: 'Add' })).toThrow(/op must be one of .*, got op='Add'/);
  expect(() => layers.operator({ op: 'add', operand: [] } as never)).toThrow(
    /Did you mean|unknown/,
  );
  expect(() => run('add', [x23()], [{ input: 0 }, { input: 1 }])).toThrow(/needs 2 inputs, got 1/);
  expect(() => run('getItem', [x23()], [{ input: 0 }, [0, 0, 0]])).toThrow(/3 indices for \[2,3\]/);
  expect(() => run('getItem', [x23()], [{ input: 0 }, 5])).toThrow(/index 5 is outside axis 0/);
});
