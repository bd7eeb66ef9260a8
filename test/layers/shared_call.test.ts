/** SharedCall: a layer called in two ways in one graph, with one set of weights. */
import * as tf from '@tensorflow/tfjs';
import { layers } from 'tfjs-transformers';
import { describeBackends } from '../support/backends.js';
import { expectClose } from '../support/expect_close.js';
import { saveAndLoad } from '../support/save_and_load.js';

/** Attention that is causal first, and then sees what a mask allows. */
function twoWays(): { model: tf.LayersModel; attention: layers.MultiHeadAttention } {
  const [x, mask] = [tf.input({ shape: [null, 6] }), tf.input({ shape: [null] })];
  const attention = layers.multiHeadAttention({ name: 'attention', numHeads: 2, keyDim: 3 });
  const first = attention.apply(x, { useCausalMask: true }) as tf.SymbolicTensor;
  const second = layers
    .sharedCall({ inputs: ['query', 'valueMask', 'layer'], flags: { useCausalMask: false } })
    .apply([x, mask, first]) as tf.SymbolicTensor;
  expect(second.shape).toEqual([null, null, 6]);
  return { model: tf.model({ inputs: [x, mask], outputs: [first, second] }), attention };
}

describeBackends('sharedCall', () => {
  test('is a call of the layer, also after saving', async () => {
    const { model, attention } = twoWays();
    const x = tf.randomNormal([2, 4, 6], 0, 1, 'float32', 3);
    const mask = tf.tensor2d([[1, 1, 0, 1], [0, 1, 1, 0]]); // prettier-ignore
    const [first, second] = model.predict([x, mask]) as tf.Tensor[];
    expectClose(first, attention.apply(x, { useCausalMask: true }) as tf.Tensor);
    const call = { valueMask: mask, useCausalMask: false };
    expectClose(second, attention.apply(x, call) as tf.Tensor);
    const again = await saveAndLoad(model);
    const after = again.predict([x, mask]) as tf.Tensor[];
    expectClose(after[0], first);
    expectClose(after[1], second);
    expect(again.weights).toHaveLength(8);
  });

  test('trains the weights through both calls', async () => {
    const { model } = twoWays();
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
    const x = tf.randomNormal([2, 4, 6], 0, 1, 'float32', 3);
    const targets = [tf.zeros([2, 4, 6]), tf.zeros([2, 4, 6])];
    const { history } = await model.fit([x, tf.ones([2, 4])], targets, { epochs: 3, verbose: 0 });
    expect(history.loss[2]).toBeLessThan(history.loss[0] as number);
  });
});

test('says which layer it needs', () => {
  expect(() => layers.sharedCall({ inputs: ['query'] })).toThrow(/one of inputs must be 'layer'/);
  const x = tf.input({ shape: [3] });
  const y = tf.layers.dense({ units: 2 }).apply(x) as tf.SymbolicTensor;
  expect(() => layers.sharedCall({ inputs: ['query', 'layer'] }).apply([x, y])).toThrow(
    /must be an output of a layer of this package, got one of Dense/,
  );
});
