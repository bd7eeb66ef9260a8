import * as tf from '@tensorflow/tfjs';
import { tokenAndPositionEmbedding } from '../../src/layers/token_and_position_embedding.js';
import { checkLayer } from '../../src/testing/index.js';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { expectIdentical } from '../support/expect_close.js';
import { saveAndLoad } from '../support/save_and_load.js';

const sizes = { vocabularySize: 17, sequenceLength: 11, embeddingDim: 5 };

describeBackends('tokenAndPositionEmbedding', () => {
  test('keeps the contract of a layer', async () => {
    const make = () =>
      tokenAndPositionEmbedding({
        ...sizes,
        embeddingsInitializer: 'randomNormal',
        maskZero: true,
      });
    const report = await checkLayer(make, { shape: [2, 3], dtype: 'int32', max: 17 });
    expect(report.weights.map((name) => name.split('/').slice(1).join('/'))).toEqual([
      'token_embedding/embeddings',
      'position_embedding/embeddings',
    ]);
  });

  test('with ones in both tables every output is 2', () => {
    tf.tidy(() => {
      const layer = tokenAndPositionEmbedding({ ...sizes, embeddingsInitializer: 'ones' });
      const got = layer.apply(tf.zeros([2, 5], 'int32')) as tf.Tensor; // T = D on purpose
      expectIdentical(got, tf.fill([2, 5, 5], 2));
      layer.dispose();
    });
  });

  test('untied weights are there, in order, and the token embedding projects back', () => {
    tf.tidy(() => {
      const layer = tokenAndPositionEmbedding({ ...sizes, tieWeights: false });
      layer.apply(tf.zeros([2, 3], 'int32'));
      expect(layer.weights.map((w) => w.shape)).toEqual([[17, 5], [5, 17], [11, 5]]); // prettier-ignore
      const logits = layer.tokenEmbedding.apply(tf.ones([2, 3, 5]), { reverse: true }) as tf.Tensor;
      expect(logits.shape).toEqual([2, 3, 17]);
      layer.dispose();
    });
  });

  test('in tf.sequential with a mask for TensorFlow.js, saved and loaded', async () => {
    const layer = tokenAndPositionEmbedding({ ...sizes, maskZero: true, inputShape: [null] });
    const model = tf.sequential({ layers: [layer, tf.layers.lstm({ units: 3 })] });
    const loaded = await saveAndLoad(model);
    const x = tf.tensor2d([[3, 4, 0], [1, 0, 0]], [2, 3], 'int32'); // prettier-ignore
    tf.tidy(() => expectIdentical(loaded.predict(x) as tf.Tensor, model.predict(x) as tf.Tensor));
    expectNoLeak(() => model.predict(x) as tf.Tensor);
    x.dispose();
  });

  test('a frozen layer has no trainable weights', () => {
    const layer = tokenAndPositionEmbedding({ ...sizes, trainable: false });
    tf.dispose(layer.apply(tf.zeros([2, 3], 'int32')) as tf.Tensor);
    expect([layer.trainableWeights.length, layer.nonTrainableWeights.length]).toEqual([0, 2]);
    layer.trainable = true;
    expect([layer.trainableWeights.length, layer.nonTrainableWeights.length]).toEqual([2, 0]);
  });
});

test('tokenAndPositionEmbedding refuses sequences that are too long, and unknown options', () => {
  const layer = tokenAndPositionEmbedding(sizes);
  expect(() => layer.apply(tf.zeros([1, 12], 'int32'))).toThrow(
    'PositionEmbedding: sequence of 12 tokens from position 0 does not fit sequenceLength=11.',
  );
  expect(() => tokenAndPositionEmbedding({ ...sizes, vocabSize: 3 } as never)).toThrow(
    "TokenAndPositionEmbedding: unknown option 'vocabSize'.",
  );
});
