/** GRUCell: one step on paper, and in `tf.layers.rnn`. */
import * as tf from '@tensorflow/tfjs';
import { layers } from 'tfjs-transformers';
import { describeBackends } from '../support/backends.js';
import { expectClose } from '../support/expect_close.js';
import { saveAndLoad } from '../support/save_and_load.js';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

describeBackends('gruCell', () => {
  test('is the formula', () => {
    const cell = layers.gruCell({ units: 1 });
    const rnn = tf.layers.rnn({ cell: cell as never, returnSequences: true });
    const x = tf.tensor3d([[[0.5], [-1]]]);
    rnn.apply(x);
    const [wz, wr, wg, uz, ur, ug] = [0.3, -0.2, 0.7, 0.5, 0.4, -0.6];
    const [bz, br, bg, cz, cr, cg] = [0.1, 0.2, -0.1, 0.05, -0.3, 0.25];
    rnn.setWeights([
      tf.tensor2d([[wz, wr, wg]]),
      tf.tensor2d([[uz, ur, ug]]),
      tf.tensor2d([[bz, br, bg], [cz, cr, cg]]), // prettier-ignore
    ]);
    let h = 0;
    const states = [0.5, -1].map((v) => {
      const z = sigmoid(v * wz + bz + h * uz + cz);
      const r = sigmoid(v * wr + br + h * ur + cr);
      const g = Math.tanh(v * wg + bg + r * (h * ug + cg));
      h = z * h + (1 - z) * g;
      return [h];
    });
    expectClose(rnn.apply(x) as tf.Tensor, [states], { atol: 1e-5, rtol: 1e-5 });
  });

  test('trains in a model, and comes back from saving', async () => {
    const x = tf.input({ shape: [3, 2] });
    const rnn = tf.layers.rnn({ cell: layers.gruCell({ units: 5, useBias: false }) as never });
    const model = tf.model({ inputs: x, outputs: rnn.apply(x) as tf.SymbolicTensor });
    const input = tf.randomNormal([2, 3, 2], 0, 1, 'float32', 4);
    const again = await saveAndLoad(model);
    expectClose(again.predict(input) as tf.Tensor, model.predict(input) as tf.Tensor);
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const history = await model.fit(input, tf.ones([2, 5]), { epochs: 3, verbose: 0 });
    const losses = history.history.loss as number[];
    expect(losses[2]).toBeLessThan(losses[0]);
  });
});

test('refuses activations and sizes that it does not know', () => {
  expect(() => layers.gruCell({ units: 0 })).toThrow(/units must be an integer/);
  expect(() => layers.gruCell({ units: 2, activation: 'softmax' as never })).toThrow(
    /activation must be one of/,
  );
});
