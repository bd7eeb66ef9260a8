import * as tf from '@tensorflow/tfjs';
import { KVCache } from '../../src/cache/kv_cache.js';
import { positionEmbedding } from '../../src/layers/position_embedding.js';
import { checkLayer } from '../../src/testing/index.js';
import { describeBackends } from '../support/backends.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';
import { saveAndLoad } from '../support/save_and_load.js';

const L = 11;
const D = 3;

describeBackends('positionEmbedding', () => {
  test('keeps the contract of a layer, without and with positions', async () => {
    const options = { sequenceLength: L, initializer: 'randomNormal' };
    await checkLayer(() => positionEmbedding(options), { shape: [2, 5, D] });
    await checkLayer(
      () => positionEmbedding({ ...options, inputs: ['inputs', 'positions'] }),
      [{ shape: [2, 5, D] }, { shape: [2, 5], dtype: 'int32', max: L }],
    );
  });

  test('rows from startIndex, from a cache, from positions; positions win', () => {
    tf.tidy(() => {
      const layer = positionEmbedding({ sequenceLength: L });
      const x = tf.zeros([2, 3, D]);
      layer.apply(x);
      const table = tf.tensor2d(Array.from({ length: L * D }, (_, i) => i), [L, D]); // prettier-ignore
      layer.setWeights([table]);
      const rows = (...at: number[]): tf.Tensor => tf.gather(table, tf.tensor1d(at, 'int32'));
      const twice = (row: tf.Tensor): tf.Tensor => tf.stack([row, row]);
      const call = (kwargs: object): tf.Tensor => layer.apply(x, kwargs as never) as tf.Tensor;
      expectIdentical(call({}), twice(rows(0, 1, 2)));
      expectIdentical(call({ startIndex: 8 }), twice(rows(8, 9, 10)));
      const cache = new KVCache();
      expectIdentical(call({ cache }), twice(rows(0, 1, 2)));
      cache.append({}, tf.zeros([2, 4, 1, 1]), tf.zeros([2, 4, 1, 1]));
      expectIdentical(call({ cache }), twice(rows(4, 5, 6)));
      const positions = tf.tensor1d([10, 0, 7], 'int32');
      expectIdentical(call({ positions, cache, startIndex: 1 }), twice(rows(10, 0, 7)));
      const perRow = tf.tensor2d([[1, 1, 2], [3, 0, 9]], [2, 3], 'int32'); // prettier-ignore
      expectIdentical(call({ positions: perRow }), tf.stack([rows(1, 1, 2), rows(3, 0, 9)]));
      cache.dispose();
      layer.dispose();
    });
  });

  test('the last rows fit, one more token does not', () => {
    const layer = positionEmbedding({ sequenceLength: L, name: 'positions' });
    tf.tidy(() => {
      layer.apply(tf.zeros([1, L, D]));
      layer.apply(tf.zeros([1, 8, D]), { startIndex: 3 });
      expect(() => layer.apply(tf.zeros([1, 9, D]), { startIndex: 3 })).toThrow(
        'PositionEmbedding: sequence of 9 tokens from position 3 does not fit sequenceLength=11. ' +
          'Cut the sequence, or build the layer with a larger sequenceLength.',
      );
    });
  });

  test('symbolic positions are recorded and survive saving', async () => {
    const x = tf.input({ shape: [null, D] });
    const positions = tf.input({ shape: [null], dtype: 'int32' });
    const layer = positionEmbedding({ sequenceLength: L });
    const outputs = layer.apply(x, { positions }) as tf.SymbolicTensor;
    const model = tf.model({ inputs: [x, positions], outputs });
    expect(layer.getConfig().inputs).toEqual(['inputs', 'positions']);
    const loaded = await saveAndLoad(model);
    tf.tidy(() => {
      const fed = [tf.zeros([2, 3, D]), tf.tensor2d([[1, 1, 2], [3, 0, 9]], [2, 3], 'int32')]; // prettier-ignore
      const got = model.predict(fed) as tf.Tensor;
      expectClose(got, tf.gather(model.getWeights()[0], fed[1]));
      expectIdentical(loaded.predict(fed) as tf.Tensor, got);
    });
  });
});

describe('positionEmbedding refuses', () => {
  test('startIndex in a graph, where it would have no effect', () => {
    const layer = positionEmbedding({ sequenceLength: L, name: 'positions' });
    expect(() => layer.apply(tf.input({ shape: [null, D] }), { startIndex: 2 })).toThrow(
      'positions: startIndex has no effect inside a model, where TensorFlow.js drops call arguments, got startIndex=2. ' +
        "Give positions as an input: inputs: ['inputs', 'positions'].",
    );
  });

  test('positions of another shape, and unknown options', () => {
    const layer = positionEmbedding({ sequenceLength: L, name: 'positions' });
    const positions = tf.zeros([4], 'int32');
    expect(() => layer.apply(tf.zeros([2, 3, D]), { positions })).toThrow(
      'positions: positions must have shape [T] or [B,T] for inputs [2,3,3], got positions=[4].',
    );
    expect(() => positionEmbedding({ sequenceLength: 1.5 })).toThrow('sequenceLength must be an integer'); // prettier-ignore
    expect(() => positionEmbedding({ sequenceLength: L, maxLength: 3 } as never)).toThrow(
      "PositionEmbedding: unknown option 'maxLength'.",
    );
  });
});
