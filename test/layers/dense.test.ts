import * as tf from '@tensorflow/tfjs';
import { dense } from '../../src/layers/dense.js';
import { activationNames } from '../../src/ops/activation.js';
import { checkLayer } from '../../src/testing/index.js';
import { describeBackends } from '../support/backends.js';
import { randomTensor } from '../support/check_directional.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';
import { saveAndLoad } from '../support/save_and_load.js';

describeBackends('dense', () => {
  test('keeps the contract of a layer', async () => {
    const all = {
      units: 7,
      activation: 'geluApproximate',
      kernelInitializer: tf.initializers.randomNormal({ seed: 3 }),
      biasInitializer: 'randomNormal',
      kernelRegularizer: 'l2',
      biasRegularizer: tf.regularizers.l1({ l1: 0.1 }),
      lastPositionOnly: true,
    } as const;
    await checkLayer(() => dense(all), { shape: [2, 3, 5] });
    await checkLayer(() => dense({ units: 7, useBias: false }), { shape: [2, 5] });
  });

  test("computes what TensorFlow.js' own layer does, on inputs of any rank", () => {
    for (const shape of [
      [2, 5],
      [2, 3, 5],
      [2, 3, 4, 5],
    ]) {
      tf.tidy(() => {
        const x = randomTensor(shape, 3);
        const [ours, theirs] = [dense({ units: 7, activation: 'tanh' }), tf.layers.dense({ units: 7, activation: 'tanh' })]; // prettier-ignore
        [ours, theirs].forEach((layer) => layer.apply(x));
        theirs.setWeights(ours.getWeights());
        expectClose(ours.apply(x) as tf.Tensor, theirs.apply(x) as tf.Tensor);
        [ours, theirs].forEach((layer) => layer.dispose());
      });
    }
  });

  test('lastPositionOnly is honoured where the option says so', () => {
    tf.tidy(() => {
      const x = randomTensor([2, 3, 5], 3);
      const layer = dense({ units: 7, lastPositionOnly: true });
      const all = layer.apply(x) as tf.Tensor;
      const last = layer.apply(x, { lastPositionOnly: true }) as tf.Tensor;
      expectClose(last, tf.slice(all, [0, 2], [-1, 1]));
      const other = dense({ units: 7 });
      expect((other.apply(x, { lastPositionOnly: true }) as tf.Tensor).shape).toEqual([2, 3, 7]);
      [layer, other].forEach((one) => one.dispose());
    });
  });
});

test.each([...activationNames])('activation %s survives saving', async (activation) => {
  await tf.setBackend('cpu');
  const input = tf.input({ shape: [5] });
  const layer = dense({ units: 3, activation, name: 'projection' });
  const model = tf.model({ inputs: input, outputs: layer.apply(input) as tf.SymbolicTensor });
  const loaded = await saveAndLoad(model);
  expect(loaded.getLayer('projection').getConfig()).toEqual(layer.getConfig());
  tf.tidy(() => {
    const x = randomTensor([4, 5], 1);
    expectIdentical(loaded.predict(x) as tf.Tensor, model.predict(x) as tf.Tensor);
  });
});

test('dense refuses what it does not know', () => {
  expect(() => dense({ units: 0 })).toThrow('Dense: units must be an integer of at least 1, got units=0.'); // prettier-ignore
  expect(() => dense({ units: 3, activation: 'gelo' as never })).toThrow(
    'Dense: activation must be one of relu, gelu, geluTanh',
  );
  expect(() => dense({ units: 3, bias: false } as never)).toThrow("unknown option 'bias'");
  expect(() => dense({ units: 3, name: 'projection' }).apply(tf.input({ shape: [null] }))).toThrow(
    'projection: the last axis of the input must be known, got input=[null,null].',
  );
  expect(() =>
    dense({ units: 3, name: 'projection' }).apply([tf.ones([1, 2]), tf.ones([1, 2])]),
  ).toThrow('projection: takes one input, got 2.');
});
