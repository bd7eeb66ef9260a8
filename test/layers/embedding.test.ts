/** Embedding: rows of its table, also for ids that a model made floats of, and its gradient on every backend. */
import * as tf from '@tensorflow/tfjs';
import { layers } from 'tfjs-transformers';
import { describeBackends } from '../support/backends.js';
import { expectClose } from '../support/expect_close.js';
import { saveAndLoad } from '../support/save_and_load.js';

const TABLE = [[1, 2], [3, 4], [5, 6]]; // prettier-ignore

describeBackends('embedding', () => {
  test('looks up rows of ids of any rank and type', () => {
    const layer = layers.embedding({ inputDim: 3, outputDim: 2 });
    layer.apply(tf.zeros([1], 'int32'));
    layer.setWeights([tf.tensor2d(TABLE)]);
    expectClose(layer.apply(tf.tensor1d([2, 0], 'int32')) as tf.Tensor, [TABLE[2], TABLE[0]]);
    expectClose(layer.apply(tf.tensor2d([[1, 1]])) as tf.Tensor, [[TABLE[1], TABLE[1]]]);
    expectClose(layer.apply(tf.tensor1d([true, false], 'bool')) as tf.Tensor, [TABLE[1], TABLE[0]]);
    const three = layer.apply(tf.zeros([2, 3, 2])) as tf.Tensor;
    expect(three.shape).toEqual([2, 3, 2, 2]);
  });

  test('trains in a model, and comes back from saving', async () => {
    const ids = tf.input({ shape: [null], dtype: 'int32' });
    const rows = layers.embedding({ inputDim: 3, outputDim: 2 }).apply(ids) as tf.SymbolicTensor;
    const model = tf.model({ inputs: ids, outputs: rows });
    model.compile({ optimizer: tf.train.sgd(1), loss: 'meanSquaredError' });
    const input = tf.tensor2d([[2, 2]], [1, 2], 'int32');
    const before = model.getWeights()[0].arraySync() as number[][];
    await model.fit(input, tf.ones([1, 2, 2]), { epochs: 1, verbose: 0 });
    const after = model.getWeights()[0].arraySync() as number[][];
    expectClose(tf.tensor2d(after.slice(0, 2)), before.slice(0, 2), { atol: 0, rtol: 0 });
    expect(after[2]).not.toEqual(before[2]);
    const again = await saveAndLoad(model);
    expectClose(again.predict(input) as tf.Tensor, model.predict(input) as tf.Tensor);
  });
});

test('refuses sizes and options that make no sense', () => {
  expect(() => layers.embedding({ inputDim: 0, outputDim: 2 })).toThrow(
    /inputDim must be an integer/,
  );
  expect(() => layers.embedding({ inputDim: 3, outputDim: 2, maskZero: true } as never)).toThrow(
    /unknown option 'maskZero'/,
  );
});
