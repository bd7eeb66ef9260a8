import * as tf from '@tensorflow/tfjs';
import { bert, type BertOptions } from '../../src/models/bert.js';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';
import { saveAndLoad } from '../support/save_and_load.js';

const [V, D, T] = [17, 12, 7];
const base: BertOptions = {
  vocabularySize: V,
  maxSequenceLength: 11,
  hiddenDim: D,
  numLayers: 2,
  numHeads: 3,
  numTypes: 3,
  seed: 5,
};
const ids = (): tf.Tensor2D =>
  tf.tensor2d(
    Array.from({ length: 2 * T }, (_, i) => (i % T < 5 ? 1 + ((i * 7) % (V - 1)) : 0)),
    [2, T],
    'int32',
  );
const make = (options: Partial<BertOptions>) =>
  bert({ ...base, ...options }) as unknown as tf.LayersModel;

describeBackends('bert', () => {
  test.each([
    ['BERT', { dropout: 0.1 }],
    [
      'pre-norm, rotary, RMS, gated',
      {
        normFirst: true,
        position: 'rotary',
        normalization: 'rms',
        gated: true,
        activation: 'silu',
      },
    ],
    ['ALiBi, tokens of types', { position: 'alibi', inputs: ['tokenIds', 'tokenTypeIds'] }],
  ] as const)('%s: trains, saves and loads to the same bits', async (_, options) => {
    const model = make({
      ...options,
      outputs: ['logits', 'lastHiddenState', 'poolerOutput'],
    } as never);
    const x = 'inputs' in options ? [ids(), tf.ones([2, T], 'int32')] : ids();
    const shapes = (model.predict(x) as tf.Tensor[]).map(({ shape }) => shape);
    expect(shapes).toEqual([[2, T, V], [2, T, D], [2, D]]); // prettier-ignore
    const optimizer = tf.train.adam(0.01);
    const loss = (): tf.Scalar => {
      const [logits, , pooled] = model.apply(x, { training: true }) as tf.Tensor[];
      const token = tf.losses.softmaxCrossEntropy(
        tf.oneHot(ids(), V).reshape([2 * T, V]),
        logits.reshape([2 * T, V]),
      );
      return tf.add(token, tf.mean(tf.square(pooled.sub(0.5))));
    };
    const losses = Array.from({ length: 4 }, () => optimizer.minimize(loss, true)!.dataSync()[0]);
    expect(losses[3]).toBeLessThan(losses[0]);
    const again = await saveAndLoad(model);
    const [before, after] = [model, again].map((m) => m.predict(x) as tf.Tensor[]);
    before.forEach((output, i) => expectIdentical(after[i], output));
    for (const m of [model, again]) m.dispose();
  });

  test('padding is invisible, however it is told', () => {
    const [derived, given] = [make({ padId: 0 }), make({ inputs: ['tokenIds', 'paddingMask'] })];
    given.setWeights(derived.getWeights());
    const x = ids();
    const mask = tf.cast(x.notEqual(0), 'float32');
    const [hidden, pooled] = derived.predict(x) as tf.Tensor[];
    const [alone, alonePooled] = derived.predict(x.slice([0, 0], [2, 5])) as tf.Tensor[];
    expectClose(hidden.slice([0, 0], [2, 5]), alone, { atol: 1e-5 });
    expectClose(pooled, alonePooled, { atol: 1e-5 });
    (given.predict([x, mask]) as tf.Tensor[]).forEach((output, i) =>
      expectIdentical(output, [hidden, pooled][i]),
    );
    for (const m of [derived, given]) m.dispose();
  });

  test('positions and segments: packed documents are as if alone', () => {
    const model = make({
      inputs: ['tokenIds', 'segmentIds', 'positions'],
      outputs: ['lastHiddenState'],
    });
    const plain = make({ outputs: ['lastHiddenState'] });
    plain.setWeights(model.getWeights());
    const x = ids().slice([0, 0], [1, 5]);
    const packed = model.predict([
      x,
      tf.tensor2d([[1, 1, 2, 2, 2]]),
      tf.tensor2d([[0, 1, 0, 1, 2]]),
    ]) as tf.Tensor;
    const parts = [x.slice([0, 0], [1, 2]), x.slice([0, 2], [1, 3])].map(
      (p) => plain.predict(p) as tf.Tensor,
    );
    expectClose(packed, tf.concat(parts, 1), { atol: 1e-5 });
    for (const m of [model, plain]) m.dispose();
  });

  test('leaves nothing behind', () => {
    const model = make({ padId: 0 });
    const x = ids();
    expectNoLeak(() => model.predict(x) as tf.Tensor[]);
    model.dispose();
  });
});
