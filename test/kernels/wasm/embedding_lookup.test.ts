import * as tf from '@tensorflow/tfjs';
import { forcePath } from '../../../src/ops/dispatch.js';
import { embeddingLookup } from '../../../src/ops/embedding_lookup.js';
import { describeKernels, useBackend } from '../../support/backends.js';
import { randomTensor } from '../../support/check_directional.js';
import { expectClose, expectIdentical } from '../../support/expect_close.js';
import { expectKernelLikeReference } from '../../support/kernel_and_reference.js';

describeKernels('embedding kernels', (backend) => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  test.each([1, 2, 3, 4, 5, 8, 13, 16, 67, 255, 257])('rows of %i', (D) => {
    const ids = tf.tensor2d([4, 0, 4, 6, 1, 4], [2, 3], 'int32');
    expectKernelLikeReference((table) => embeddingLookup(table, ids), [randomTensor([7, D], 1)]);
  });

  test('no ids, one id', () => {
    const table = randomTensor([3, 5], 1);
    const none = tf.tensor1d([], 'int32');
    expect(forcePath('kernel', () => embeddingLookup(table, none)).shape).toEqual([0, 5]);
    expectKernelLikeReference((table) => embeddingLookup(table, tf.scalar(2, 'int32')), [table]);
  });

  test('an id out of range gives zeros and takes no gradient', () => {
    const ids = tf.tensor1d([1, -1, 3, 2147483647], 'int32');
    const table = tf.ones([3, 2]);
    forcePath('kernel', () => {
      expectIdentical(embeddingLookup(table, ids), [
        [1, 1],
        [0, 0],
        [0, 0],
        [0, 0],
      ]);
      const gradient = tf.grad((table: tf.Tensor) => embeddingLookup(table, ids))(table);
      expectIdentical(gradient, [
        [0, 0],
        [1, 1],
        [0, 0],
      ]);
    });
  });

  test('equal ids are added in their order', () => {
    const dy = tf.tensor2d([1, 2 ** 24, -(2 ** 24), 1], [4, 1]); // 1 + 2²⁴ rounds to 2²⁴
    const gradient = forcePath('kernel', () =>
      tf.grad((table: tf.Tensor) => embeddingLookup(table, tf.zeros([4], 'int32')))(
        tf.zeros([1, 1]),
        dy,
      ),
    );
    expectIdentical(gradient, [[1]]);
  });

  test('UnsortedSegmentSum, which the wasm backend lacks', () => {
    const x = tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8], [4, 2]);
    const ids = tf.tensor1d([2, 0, 2, 9], 'int32');
    const expected = [
      [3, 4],
      [0, 0],
      [6, 8],
    ];
    expectIdentical(tf.unsortedSegmentSum(x, ids, 3), expected);
    const whole = tf.unsortedSegmentSum(tf.cast(x, 'int32'), ids, 3);
    expect(whole.dtype).toBe('int32');
    expectIdentical(whole, expected);
    const scattered = tf.unsortedSegmentSum(
      tf.reshape(x, [2, 2, 2]),
      tf.tensor2d([2, 0, 2, -1], [2, 2], 'int32') as never,
      3,
    );
    expectIdentical(scattered, expected);
    expectIdentical(tf.unsortedSegmentSum(tf.zeros([0, 2]), tf.zeros([0], 'int32'), 1), [[0, 0]]);
    const positive = tf.tensor1d([2, 0, 2, -1], 'int32');
    const sum = (x: tf.Tensor) => tf.unsortedSegmentSum(x as tf.Tensor2D, positive, 3);
    const dx = tf.grad(sum)(x, tf.ones([3, 2]));
    expectIdentical(dx, [
      [1, 1],
      [1, 1],
      [1, 1],
      [0, 0],
    ]);
  });

  test('the gradient of tf.gather, along any axis, is that of cpu', async () => {
    const values = randomTensor([3, 5, 2], 1).arraySync() as number[][][];
    const gradients = (): tf.Tensor[] =>
      [0, 1, 2, -1].map((axis) => {
        const ids = tf.tensor1d([1, 0, 1, 1], 'int32');
        const f = (x: tf.Tensor) => tf.square(tf.gather(x, ids, axis));
        return tf.grad(f)(tf.tensor3d(values));
      });
    const ours = gradients().map((tensor) => tensor.arraySync() as number[][][]);
    await useBackend('cpu');
    gradients().forEach((tensor, i) => expectClose(tensor, ours[i]));
    await useBackend(backend);
  });
});

describeKernels("TensorFlow.js' own embedding layer", () => {
  test('trains', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.embedding({ inputDim: 7, outputDim: 4, inputLength: 3 }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 2, activation: 'softmax' }),
      ],
    });
    model.compile({ optimizer: tf.train.adam(0.05), loss: 'sparseCategoricalCrossentropy' });
    const x = tf.tensor2d([0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4], [4, 3], 'int32');
    const y = tf.tensor2d([0, 1, 1, 0], [4, 1]);
    const { history } = await model.fit(x, y, { epochs: 40, verbose: 0 });
    const losses = history.loss as number[];
    expect(losses[39]).toBeLessThan(0.2 * losses[0]);
    tf.dispose([x, y]);
    model.dispose();
  });
});
