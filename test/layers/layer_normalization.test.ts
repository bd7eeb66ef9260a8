import * as tf from '@tensorflow/tfjs';
import { layerNormalization } from '../../src/layers/layer_normalization.js';
import { checkLayer } from '../../src/testing/index.js';
import { describeBackends } from '../support/backends.js';
import { randomTensor } from '../support/check_directional.js';
import { expectClose } from '../support/expect_close.js';
import { saveAndLoad } from '../support/save_and_load.js';

describeBackends('layerNormalization', () => {
  test('keeps the contract of a layer', async () => {
    const input = { shape: [2, 3, 5] };
    const all = {
      epsilon: 0.01,
      gammaInitializer: { className: 'Constant', config: { value: 1.5 } },
      betaInitializer: tf.initializers.constant({ value: 0.25 }),
      gammaRegularizer: 'l2',
      betaRegularizer: 'l1',
      gammaConstraint: 'nonNeg',
      betaConstraint: tf.constraints.nonNeg(),
    };
    await checkLayer(() => layerNormalization(all), input);
    await checkLayer(() => layerNormalization({ axis: [1, 2], center: false }), input);
    await checkLayer(() => layerNormalization({ scale: false }), input);
  });

  test("computes what TensorFlow.js' own layer does", () => {
    tf.tidy(() => {
      const x = randomTensor([2, 3, 7], 3);
      const [ours, theirs] = [layerNormalization(), tf.layers.layerNormalization()];
      [ours, theirs].forEach((layer) => layer.apply(x));
      const weights = [randomTensor([7], 4), randomTensor([7], 5)];
      [ours, theirs].forEach((layer) => layer.setWeights(weights));
      expectClose(ours.apply(x) as tf.Tensor, theirs.apply(x) as tf.Tensor);
      [ours, theirs].forEach((layer) => layer.dispose());
    });
  });
});

test("the class does not take the place of TensorFlow.js' own in saved models", async () => {
  const input = tf.input({ shape: [5] });
  const own = tf.layers.layerNormalization().apply(input) as tf.SymbolicTensor;
  const outputs = layerNormalization().apply(own) as tf.SymbolicTensor;
  const loaded = await saveAndLoad(tf.model({ inputs: input, outputs }));
  expect(loaded.layers.map((layer) => layer.getClassName())).toEqual([
    'InputLayer',
    'LayerNormalization',
    'FusedLayerNormalization',
  ]);
});

test('layerNormalization refuses rmsScaling and unknown options', () => {
  expect(() => layerNormalization({ rmsScaling: true } as never)).toThrow(
    'LayerNormalization: rmsScaling is not supported. Use rmsNormalization.',
  );
  expect(() => layerNormalization({ centre: true } as never)).toThrow("unknown option 'centre'");
});
