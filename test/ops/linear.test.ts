import * as tf from '@tensorflow/tfjs';
import { activation, activationNames } from '../../src/ops/activation.js';
import { linear } from '../../src/ops/linear.js';
import { describeBackends } from '../support/backends.js';
import { checkDirectional, randomTensor } from '../support/check_directional.js';
import { expectClose } from '../support/expect_close.js';
import { expectNoLeaks } from '../support/expect_no_leaks.js';

describeBackends('linear', () => {
  const x = () =>
    tf.tensor([
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    ]); // [1, 3, 2]
  const kernel = () =>
    tf.tensor([
      [1, 0, 2],
      [0, 1, 3],
    ]); // [2, 3]
  const bias = () => tf.tensor([10, 20, 30]);

  test('multiplies the last axis and adds the bias', () => {
    expectClose(linear(x(), kernel(), bias()), [
      [
        [11, 22, 38],
        [13, 24, 48],
        [15, 26, 58],
      ],
    ]);
    expectClose(linear(x(), kernel()), [
      [
        [1, 2, 8],
        [3, 4, 18],
        [5, 6, 28],
      ],
    ]);
    expectClose(linear(tf.tensor([1, 2]), kernel(), null), [1, 2, 8]);
  });

  test('gradients known on paper', () => {
    const dy = tf.tensor([
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    ]);
    const [dx, dW, db] = tf.grads((x: tf.Tensor, w: tf.Tensor, b: tf.Tensor) => linear(x, w, b))(
      [x(), kernel(), bias()],
      dy,
    );
    expectClose(dx, [
      [
        [1, 0],
        [0, 1],
        [2, 3],
      ],
    ]); // dy·Wᵀ: row i is column i of W
    expectClose(dW, [
      [1, 3, 5],
      [2, 4, 6],
    ]); // xᵀ
    expectClose(db, [1, 1, 1]);
  });

  test.each([[[7]], [[5, 7]], [[2, 5, 7]], [[2, 3, 5, 7]]])('gradients for x %j', (shape) => {
    const inputs = [randomTensor(shape, 1), randomTensor([7, 11], 2), randomTensor([11], 3)];
    checkDirectional((x, w, b) => linear(x, w, b), inputs);
    checkDirectional((x, w) => linear(x, w), inputs.slice(0, 2));
  });

  test('takes a bias that was reshaped', () => {
    const bias = tf.reshape(tf.tensor([[10], [20], [30]]), [3]);
    expectClose(linear(tf.tensor([1, 2]), kernel(), bias), [11, 22, 38]);
  });

  test('several input axes, several output axes', () => {
    const heads = tf.tensor([[[1, 2], [3, 4]]]); // prettier-ignore
    const kernel = tf.tensor([[[1, 0], [0, 1]], [[1, 1], [2, 0]]]); // prettier-ignore
    expectClose(linear(heads, kernel, tf.tensor([10, 20]), { inputAxes: 2 }), [[22, 25]]);
    expectClose(linear(tf.tensor([[1, 2]]), kernel), [[[3, 2], [4, 1]]]); // prettier-ignore
    const inputs = [
      randomTensor([2, 3, 2, 5], 1),
      randomTensor([2, 5, 3], 2),
      randomTensor([3], 3),
    ];
    checkDirectional((x, w, b) => linear(x, w, b, { inputAxes: 2 }), inputs);
    const more = [randomTensor([3, 5], 1), randomTensor([5, 2, 3], 2), randomTensor([2, 3], 3)];
    checkDirectional((x, w, b) => linear(x, w, b), more);
  });

  test('a kernel that lies transposed', () => {
    const table = tf.transpose(kernel());
    expectClose(
      linear(x(), table, bias(), { transposeKernel: true }),
      linear(x(), kernel(), bias()),
    );
    const inputs = [randomTensor([2, 3, 5], 1), randomTensor([7, 5], 2), randomTensor([7], 3)];
    checkDirectional((x, w, b) => linear(x, w, b, { transposeKernel: true }), inputs);
    checkDirectional((x, w) => linear(x, w, null, { transposeKernel: true }), inputs.slice(0, 2));
  });

  test.each(activationNames)('with activation %s: that of the result', (name) => {
    const inputs = [randomTensor([2, 3, 5], 1), randomTensor([5, 7], 2), randomTensor([7], 3)];
    const [x, w, b] = inputs;
    expectClose(linear(x, w, b, { activation: name }), activation(linear(x, w, b), name));
    checkDirectional((x, w, b) => linear(x, w, b, { activation: name }), inputs);
    checkDirectional((x, w) => linear(x, w, null, { activation: name }), inputs.slice(0, 2));
  });

  test('rows whose gradient is 0 leave no trace in dW', () => {
    const x = randomTensor([11, 5], 1);
    const w = randomTensor([5, 3], 2);
    const dy = tf.mul(randomTensor([11, 3], 3), tf.tensor2d([0, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1], [11, 1])); // prettier-ignore
    const options = { activation: 'geluTanh' } as const;
    const gradients = tf.grads((x: tf.Tensor, w: tf.Tensor) => linear(x, w, null, options));
    const kept = tf.tensor1d([1, 4, 5, 10], 'int32');
    const [dx, dW] = gradients([x, w], dy);
    const [someX, sameW] = gradients([tf.gather(x, kept), w], tf.gather(dy, kept));
    expectClose(dW, sameW);
    expectClose(tf.gather(dx, kept), someX);
    const [noX, noW] = gradients([x, w], tf.zeros([11, 3]));
    expectClose(noX, tf.zeros([11, 5]));
    expectClose(noW, tf.zeros([5, 3]));
  });

  test('trains variables', () => {
    const w = tf.variable(kernel());
    const { grads } = tf.variableGrads(() => tf.sum<tf.Scalar>(linear(x(), w)), [w]);
    expectClose(grads[w.name], [
      [9, 9, 9],
      [12, 12, 12],
    ]);
    w.dispose();
  });

  test('leaves no tensors behind', () => {
    expectNoLeaks((x, w, b) => linear(x, w, b), [x(), kernel(), bias()]);
    expectNoLeaks((x, w) => linear(x, w), [x(), kernel()]);
    expectNoLeaks((x, w) => linear(x, w, null, { activation: 'gelu' }), [x(), kernel()]);
  });

  test('bad input is refused', () => {
    expect(() => linear(x(), tf.ones([3, 2]))).toThrow(
      'linear: kernel must have shape [D,E] with D=2, the last axis of x [1,3,2], got shape=[3,2].',
    );
    expect(() => linear(x(), kernel(), tf.ones([2]))).toThrow(
      'linear: bias must have shape [E]=[3], got shape=[2].',
    );
    expect(() => linear(x(), tf.ones([2, 3]), null, { inputAxes: 2 })).toThrow(
      'linear: the first 2 axes of kernel must be the last of x [1,3,2], and more must follow, got shape=[2,3].',
    );
    expect(() => linear(x(), kernel(), null, { inputAxes: 4 })).toThrow(
      'linear: inputAxes must be',
    );
    expect(() => linear(x(), kernel(), null, { transposeKernel: true })).toThrow(
      'linear: with transposeKernel the kernel must have shape [E,D] with D=2, the last axis of x [1,3,2], and inputAxes must be 1, got shape=[2,3], inputAxes=1.',
    );
    expect(() => linear(x(), kernel(), null, { activation: 'softmax' as never })).toThrow(
      'linear: activation must be one of',
    );
    expect(() => linear(x(), kernel(), null, { axes: 2 } as never)).toThrow("'axes'");
    expect(() => linear(tf.ones([2, 2], 'int32'), kernel())).toThrow(
      "linear: x must be float32, got dtype=int32. Cast it with tf.cast(x, 'float32').",
    );
    expect(() => linear(tf.scalar(1), kernel())).toThrow(
      'linear: x must have at least 1 axis, got shape=[].',
    );
    expect(() => linear([[1, 2]] as never, kernel())).toThrow(
      'linear: x must be a tensor, got x=[[1,2]]. Wrap arrays in tf.tensor(…); inside tf.model use a layer.',
    );
    expect(() => linear(tf.input({ shape: [2] }) as never, kernel())).toThrow(
      'linear: x must be a tensor',
    );
  });
});
