import * as tf from '@tensorflow/tfjs';
import { reversibleEmbedding } from '../../src/layers/reversible_embedding.js';
import { checkLayer } from '../../src/testing/index.js';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { checkDirectional, randomTensor } from '../support/check_directional.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';
import { saveAndLoad } from '../support/save_and_load.js';

const V = 17;
const D = 5;
const ids = (): tf.Tensor => tf.tensor2d([[3, 1, 16], [0, 3, 2]], [2, 3], 'int32'); // prettier-ignore

/** Ids → embedding → projection back, both uses in one graph. */
function roundTrip(args = {}): tf.LayersModel {
  const layer = reversibleEmbedding({ inputDim: V, outputDim: D, ...args });
  const input = tf.input({ shape: [null], dtype: 'int32' });
  const hidden = layer.apply(input) as tf.SymbolicTensor;
  return tf.model({ inputs: input, outputs: layer.apply(hidden) as tf.SymbolicTensor });
}

describeBackends('reversibleEmbedding', () => {
  test('keeps the contract of a layer in both uses', async () => {
    const options = { inputDim: V, outputDim: D, embeddingsInitializer: 'randomNormal' };
    const lookup = () => reversibleEmbedding({ ...options, embeddingsRegularizer: 'l2', maskZero: true }); // prettier-ignore
    await checkLayer(lookup, { shape: [2, 3], dtype: 'int32', max: V });
    const project = () => reversibleEmbedding({ ...options, tieWeights: false, logitSoftCap: 3 });
    const unused = 'the lookup table is not used by the projection';
    await checkLayer(project, { shape: [2, 3, D] }, { skip: { gradients: unused } });
    await checkLayer(() => reversibleEmbedding(options), { shape: [2, 3, D] });
  });

  test('a model with both uses has the right shapes, predicts, and comes back from saving', async () => {
    const model = roundTrip({ tieWeights: false, logitSoftCap: 2 });
    expect(model.outputs[0].shape).toEqual([null, null, V]);
    expect(model.layers[1].weights.map((w) => w.originalName.split('/').pop())).toEqual([
      'embeddings',
      'reverse_embeddings',
    ]);
    const loaded = await saveAndLoad(model);
    tf.tidy(() => {
      const logits = model.predict(ids()) as tf.Tensor;
      expect(logits.shape).toEqual([2, 3, V]);
      const [table, matrix] = model.getWeights();
      const x = tf.reshape(tf.gather(table, ids()), [6, D]);
      const expected = tf.mul(tf.tanh(tf.div(tf.matMul(x, matrix), 2)), 2);
      expectClose(logits, tf.reshape(expected, [2, 3, V]));
      expectIdentical(loaded.predict(ids()) as tf.Tensor, logits);
    });
  });

  test('gradients reach the table from both uses', () => {
    const layer = reversibleEmbedding({ inputDim: V, outputDim: D });
    tf.dispose(layer.apply(ids()) as tf.Tensor);
    checkDirectional(
      (table) => {
        const read = jest.spyOn(layer.weights[0], 'read').mockReturnValue(table as tf.Tensor2D);
        const hidden = layer.apply(ids()) as tf.Tensor;
        const logits = layer.apply(hidden, { reverse: true }) as tf.Tensor;
        read.mockRestore();
        return logits;
      },
      [randomTensor([V, D], 5, 0.5)],
    );
  });

  test('the call argument lastPositionOnly reaches the projection through the model', () => {
    const model = roundTrip();
    tf.tidy(() => {
      const all = model.apply(ids()) as tf.Tensor;
      const last = model.apply(ids(), { lastPositionOnly: true }) as tf.Tensor;
      expectClose(last, tf.slice(all, [0, 2], [-1, 1]));
    });
  });

  test('float32 ids of a model work at every length, also when T = D', () => {
    const layer = reversibleEmbedding({ inputDim: V, outputDim: D });
    const input = tf.input({ shape: [null] });
    const model = tf.model({ inputs: input, outputs: layer.apply(input) as tf.SymbolicTensor });
    tf.tidy(() => {
      const same = tf.tensor2d([[1, 2, 3, 4, 5]]);
      expect((model.predict(same) as tf.Tensor).shape).toEqual([1, 5, D]);
    });
  });

  test('works in tf.sequential, int32 ids of length D included', () => {
    const layer = reversibleEmbedding({ inputDim: V, outputDim: D, inputShape: [D] });
    const model = tf.sequential({ layers: [layer, tf.layers.flatten()] });
    tf.tidy(() =>
      expect((model.predict(tf.ones([2, D], 'int32')) as tf.Tensor).shape).toEqual([2, D * D]),
    );
  });

  test('maskZero hands a mask on to layers of TensorFlow.js', () => {
    const layer = reversibleEmbedding({ inputDim: V, outputDim: D, maskZero: true });
    const input = tf.input({ shape: [null], dtype: 'int32' });
    const lstm = tf.layers.lstm({ units: 3 });
    const outputs = lstm.apply(layer.apply(input)) as tf.SymbolicTensor;
    const model = tf.model({ inputs: input, outputs });
    tf.tidy(() => {
      const short = model.predict(tf.tensor2d([[3, 4]], [1, 2], 'int32')) as tf.Tensor;
      const padded = model.predict(tf.tensor2d([[3, 4, 0, 0]], [1, 4], 'int32')) as tf.Tensor;
      expectClose(padded, short);
      const { kerasMask } = layer.apply(ids()) as unknown as { kerasMask: tf.Tensor };
      expectIdentical(kerasMask, [[true, true, true], [false, true, true]]); // prettier-ignore
    });
    const fed = ids();
    expectNoLeak(() => model.predict(fed) as tf.Tensor);
  });

  test('one training step lowers the loss of a model that ties both uses', async () => {
    const model = roundTrip({ embeddingsInitializer: 'randomNormal' });
    const sgd = tf.train.sgd(0.5);
    model.compile({ optimizer: sgd, loss: 'meanSquaredError' });
    const [x, y] = [ids(), tf.ones([2, 3, V])];
    const before = await model.trainOnBatch(x, y);
    expect(await model.trainOnBatch(x, y)).toBeLessThan(before as number);
    tf.dispose([x, y]);
  });
});

describe('reversibleEmbedding refuses', () => {
  const layer = () => reversibleEmbedding({ inputDim: V, outputDim: D, name: 'tokens' });

  test('what could be ids or hidden states', () => {
    expect(() => layer().apply(tf.ones([2, D]))).toThrow(
      'tokens: cannot tell token ids from hidden states with last axis D=5, got a float32 input of shape [2,5]. ' +
        'Say {reverse: false} or {reverse: true}, or give token ids as int32.',
    );
    expect(() => layer().apply(tf.ones([2, 3, 4]))).toThrow('got a float32 input of shape [2,3,4]');
    expect(() => layer().apply(tf.input({ shape: [D] }))).toThrow(
      "shape [null,5]. Token ids come from tf.input({dtype: 'int32', …}), hidden states have shape [B,T,5].",
    );
  });

  test('a graph call whose input contradicts reverse', () => {
    expect(() => layer().apply(tf.input({ shape: [null] }), { reverse: true })).toThrow(
      'tokens: reverse must be false for this input inside a model, where TensorFlow.js drops call arguments, got reverse=true',
    );
    const hidden = tf.input({ shape: [null, D] });
    const logits = layer().apply(hidden, { reverse: true }) as tf.SymbolicTensor;
    expect(logits.shape).toEqual([null, null, V]);
  });

  test('options out of range or unknown', () => {
    const make = (args: object) => () =>
      reversibleEmbedding({ inputDim: V, outputDim: D, ...args });
    expect(make({ inputDim: 0 })).toThrow('inputDim must be an integer of at least 1, got inputDim=0'); // prettier-ignore
    expect(make({ logitSoftCap: 0 })).toThrow('logitSoftCap must be a finite number');
    expect(make({ embeddingsInitializer: 'unform' })).toThrow("unknown initializer 'unform'");
    expect(make({ activityRegularizer: 'l2' })).toThrow('activityRegularizer is not supported');
    expect(make({ maskzero: true })).toThrow("unknown option 'maskzero'. Did you mean 'maskZero'?");
  });

  test('hidden states of another width', () => {
    expect(() => layer().apply(tf.ones([2, 3, 4]), { reverse: true })).toThrow(
      'tokens: hidden states must have last axis D=5, got shape=[2,3,4].',
    );
  });
});
