/** The two models that the README shows: what `tf.model` and our layers make in ten lines. */
import * as tf from '@tensorflow/tfjs';
import { layers, training } from 'tfjs-transformers';
import { describeBackends } from './support/backends.js';
import { expectClose, expectIdentical } from './support/expect_close.js';
import { saveAndLoad } from './support/save_and_load.js';

const vocabularySize = 7;

describeBackends('in ten lines', () => {
  test('a classifier of padded sequences', async () => {
    const ids = tf.input({ shape: [null], dtype: 'int32' });
    const paddingMask = layers.paddingMask({ padId: 0 }).apply(ids);
    const sizes = { vocabularySize, sequenceLength: 32, embeddingDim: 8 };
    const x = layers.tokenAndPositionEmbedding(sizes).apply(ids) as tf.SymbolicTensor;
    const attention = layers.multiHeadAttention({ numHeads: 2, keyDim: 4 });
    const attended = attention.apply(x, { paddingMask }) as tf.SymbolicTensor;
    const hidden = layers.layerNormalization().apply(tf.layers.add().apply([x, attended]));
    const pooled = layers.globalAveragePooling1d().apply(hidden, { paddingMask });
    const classes = tf.layers.dense({ units: 2, activation: 'softmax' }).apply(pooled);
    const model = tf.model({ inputs: ids, outputs: classes as tf.SymbolicTensor });

    const short = tf.tensor2d([[3, 1, 4], [1, 5, 0]], [2, 3], 'int32'); // prettier-ignore
    const padded = tf.pad(short, [[0, 0], [0, 2]]); // prettier-ignore
    const expected = model.predict(short) as tf.Tensor;
    expectClose(model.predict(padded) as tf.Tensor, expected, { atol: 1e-6 });
    expectIdentical((await saveAndLoad(model)).predict(short) as tf.Tensor, expected);

    // Learns which sequences contain token 3.
    model.compile({ optimizer: tf.train.adam(0.05), loss: 'sparseCategoricalCrossentropy' });
    const labels = tf.tensor2d([[1], [0]]);
    // Weights start unseeded: a margin that every start reaches.
    const losses = await train(model, short, labels, 40);
    expect(losses[39]).toBeLessThan(0.5 * losses[0]);
    tf.dispose([short, padded, expected, labels]);
  });

  test('a causal language model', async () => {
    const ids = tf.input({ shape: [null], dtype: 'int32' });
    const embedding = layers.reversibleEmbedding({ inputDim: vocabularySize, outputDim: 8 });
    let x = embedding.apply(ids) as tf.SymbolicTensor;
    for (let block = 0; block < 2; block++) {
      const options = { numHeads: 2, keyDim: 4, rotary: true, useCausalMask: true };
      const normal = layers.rmsNormalization().apply(x);
      const attended = layers.multiHeadAttention(options).apply(normal) as tf.SymbolicTensor;
      x = tf.layers.add().apply([x, attended]) as tf.SymbolicTensor;
    }
    const logits = embedding.apply(layers.rmsNormalization().apply(x)) as tf.SymbolicTensor;
    const model = tf.model({ inputs: ids, outputs: logits });

    const [a, b] = [[1, 2, 3, 4, 5], [1, 2, 3, 0, 6]].map((row) => tf.tensor2d([row], [1, 5], 'int32')); // prettier-ignore
    const logitsOfA = model.predict(a) as tf.Tensor;
    const past = (y: tf.Tensor): tf.Tensor => tf.slice(y, [0, 0], [-1, 3]);
    tf.tidy(() => expectIdentical(past(model.predict(b) as tf.Tensor), past(logitsOfA)));
    expectIdentical((await saveAndLoad(model)).predict(a) as tf.Tensor, logitsOfA);

    // Learns to count.
    training.compile(model, { optimizer: tf.train.adam(0.05) });
    const next = tf.tensor3d([[[2], [3], [4], [5], [6]]]);
    const losses = await train(model, a, next, 40);
    expect(losses[39]).toBeLessThan(0.5 * losses[0]);
    tf.dispose([a, b, logitsOfA, next]);
  });
});

async function train(
  model: tf.LayersModel,
  x: tf.Tensor,
  y: tf.Tensor,
  steps: number,
): Promise<number[]> {
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) losses.push((await model.trainOnBatch(x, y)) as number);
  return losses;
}
