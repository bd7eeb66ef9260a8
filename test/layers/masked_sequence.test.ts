/** MaskedSequence: masked steps change nothing, whatever is in them. */
import * as tf from '@tensorflow/tfjs';
import { layers } from 'tfjs-transformers';
import { describeBackends } from '../support/backends.js';
import { expectClose } from '../support/expect_close.js';
import { saveAndLoad } from '../support/save_and_load.js';

const LSTM = { units: 3, returnSequences: true };

describeBackends('maskedSequence', () => {
  test('keeps state and output over masked steps, in models that come back from saving', async () => {
    const [x, mask] = [tf.input({ shape: [null, 2] }), tf.input({ shape: [null] })];
    const layer = layers.maskedSequence({ name: 'masked', layer: tf.layers.lstm(LSTM) });
    const y = layer.apply(x, { paddingMask: mask }) as tf.SymbolicTensor;
    expect(y.shape).toEqual([null, null, 3]);
    const model = tf.model({ inputs: [x, mask], outputs: y });
    const rows = tf.randomNormal([1, 4, 2], 0, 1, 'float32', 7);
    const output = model.predict([rows, tf.tensor2d([[1, 1, 0, 0]])]) as tf.Tensor;
    const alone = model.predict([
      tf.slice(rows, [0, 0, 0], [1, 2, 2]),
      tf.ones([1, 2]),
    ]) as tf.Tensor;
    expectClose(tf.slice(output, [0, 0, 0], [1, 2, 3]), alone);
    const steps = output.arraySync() as number[][][];
    expect(steps[0][2]).toEqual(steps[0][1]);
    expect(steps[0][3]).toEqual(steps[0][1]);
    const again = await saveAndLoad(model);
    expectClose(again.predict([rows, tf.tensor2d([[1, 1, 0, 0]])]) as tf.Tensor, output);
    expect(again.weights.map(({ shape }) => shape)).toEqual([[2, 12], [3, 12], [12]]);
  });

  test('without a mask it is the layer, and both directions work', () => {
    const inner = tf.layers.bidirectional({
      layer: tf.layers.lstm(LSTM) as never,
      mergeMode: 'concat',
    });
    const layer = layers.maskedSequence({ layer: inner });
    const x = tf.randomNormal([2, 3, 2], 0, 1, 'float32', 8);
    const y = layer.apply(x) as tf.Tensor;
    expect(y.shape).toEqual([2, 3, 6]);
    expectClose(y, inner.apply(x) as tf.Tensor);
    expectClose(layer.apply(x, { paddingMask: tf.ones([2, 3]) }) as tf.Tensor, y);
  });
});

test('refuses what is no layer', () => {
  expect(() => layers.maskedSequence({ layer: 3 } as never)).toThrow(/layer must be a layer or/);
  expect(() => layers.maskedSequence({ layer: { className: 'Nothing', config: {} } })).toThrow(
    /class 'Nothing' is not registered/,
  );
});
