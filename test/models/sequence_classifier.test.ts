import * as tf from '@tensorflow/tfjs';
import { models } from 'tfjs-transformers';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';
import { saveAndLoad } from '../support/save_and_load.js';

const [B, T, V, C] = [3, 7, 11, 4];
const base: models.SequenceClassifierOptions = {
  vocabularySize: V,
  maxSequenceLength: T,
  hiddenDim: 6,
  numLayers: 1,
  numHeads: 2,
  numClasses: C,
  seed: 3,
};
const make = (options: Partial<models.SequenceClassifierOptions>) =>
  models.sequenceClassifier({ ...base, ...options }) as unknown as tf.LayersModel;
const ids = (): tf.Tensor2D =>
  tf.tensor2d(
    Array.from({ length: B * T }, (_, i) => (i % T < 4 ? 1 + ((i * 5) % (V - 1)) : 0)),
    [B, T],
    'int32',
  );

describeBackends('sequenceClassifier', () => {
  test.each(['mean', 'first'] as const)(
    '%s: padding does not count; trains with fit; saves and loads',
    async (pooling) => {
      const model = make({ pooling, padId: 0, output: 'probabilities', dropout: 0.1 });
      const x = ids();
      expect(model.outputs[0].shape).toEqual([null, C]);
      expectClose(
        model.predict(x) as tf.Tensor,
        model.predict(x.slice([0, 0], [B, 4])) as tf.Tensor,
        { atol: 1e-6 },
      );
      expectClose(tf.sum(model.predict(x) as tf.Tensor, -1), tf.ones([B]), { atol: 1e-6 });
      model.compile({ optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy' });
      const labels = tf.oneHot([0, 1, 2], C);
      const { history } = await model.fit(x, labels, { epochs: 8, verbose: 0 });
      expect(history.loss[7]).toBeLessThan(history.loss[0] as number);
      const again = await saveAndLoad(model);
      expectIdentical(again.predict(x) as tf.Tensor, model.predict(x) as tf.Tensor);
      expectNoLeak(() => model.predict(x) as tf.Tensor);
      for (const m of [model, again]) m.dispose();
    },
  );

  test('masks of the model and of padId both hold', () => {
    const model = make({ padId: 0, inputs: ['tokenIds', 'paddingMask'] });
    const x = ids();
    const mask = tf.tensor2d([1, 1, 1, 0, 1, 1, 1], [1, T]).tile([B, 1]);
    expectClose(
      model.predict([x, mask]) as tf.Tensor,
      model.predict([x.slice([0, 0], [B, 3]), tf.ones([B, 3])]) as tf.Tensor,
      { atol: 1e-6 },
    );
    model.dispose();
  });

  test('bad options are named', () => {
    expect(() => make({ numClasses: 0 })).toThrow('numClasses must be an integer');
    expect(() => make({ pooling: 'max' as never })).toThrow(
      "pooling must be 'mean' or 'first', got pooling='max'",
    );
    expect(() => make({ output: 'softmax' as never })).toThrow(
      "output must be 'logits' or 'probabilities'",
    );
  });
});
