import * as tf from '@tensorflow/tfjs';
import { layers } from 'tfjs-transformers';
import { checkLayer } from 'tfjs-transformers/testing';
import { KVCache } from '../../src/cache/kv_cache.js';
import { rotary } from '../../src/ops/rotary.js';
import { describeBackends } from '../support/backends.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';

const [B, T, N, H] = [2, 5, 3, 6];
const x = (shape = [B, T, N, H]): tf.Tensor => tf.randomNormal(shape, 0, 1, 'float32', 7);
const yarn = {
  type: 'yarn',
  factor: 4,
  originalMaxPositionEmbeddings: 16,
  truncate: false,
} as const;

describeBackends('rotaryEmbedding', () => {
  test.each([
    ['queries', { maxWavelength: 50, scalingFactor: 3 }, [B, T, N, H]],
    [
      'other axes, a denominator',
      { sequenceAxis: -1, featureAxis: 1, denominatorDim: 8 },
      [B, H, T],
    ],
    ['YaRN', { scaling: yarn, sequenceAxis: 2 }, [B, N, T, H]],
  ])('%s: everything that a layer owes its users', async (_, args, shape) => {
    const report = await checkLayer(() => layers.rotaryEmbedding(args), { shape });
    expect(report.passed).toBe(true);
  });

  test('other axes are transposed ones', () => {
    const out = layers.rotaryEmbedding().apply(x()) as tf.Tensor;
    const swapped = layers.rotaryEmbedding({ sequenceAxis: 2 });
    expectIdentical(
      swapped.apply(x().transpose([0, 2, 1, 3])) as tf.Tensor,
      out.transpose([0, 2, 1, 3]),
    );
    const first = layers.rotaryEmbedding({ sequenceAxis: 3, featureAxis: 1 });
    expectIdentical(
      first.apply(x().transpose([0, 3, 2, 1])) as tf.Tensor,
      out.transpose([0, 3, 2, 1]),
    );
  });

  test('positions come from the call, the cache or the graph', () => {
    const layer = layers.rotaryEmbedding();
    const expected = rotary(x(), { offset: 4 });
    expectIdentical(layer.apply(x(), { startIndex: 4 }) as tf.Tensor, expected);
    const cache = new KVCache();
    cache.append({}, tf.zeros([B, 4, 1, 1]), tf.zeros([B, 4, 1, 1]));
    expectIdentical(layer.apply(x(), { cache }) as tf.Tensor, expected);
    cache.dispose();
    const positions = tf.tensor1d([4, 5, 6, 7, 8], 'int32');
    expectClose(layer.apply(x(), { positions }) as tf.Tensor, expected, { atol: 2e-6 });
    const inputs = [tf.input({ shape: [T, N, H] }), tf.input({ shape: [T], dtype: 'int32' })];
    const outputs = layers.rotaryEmbedding({ inputs: ['inputs', 'positions'] }).apply(inputs);
    const model = tf.model({ inputs, outputs: outputs as tf.SymbolicTensor });
    const rows = tf.tile(positions.expandDims(0), [B, 1]);
    expectClose(model.predict([x(), rows]) as tf.Tensor, expected, { atol: 2e-6 });
    expect(() => layers.rotaryEmbedding().apply(inputs[0], { startIndex: 3 })).toThrow(
      'startIndex has no effect',
    );
  });

  test('bad options are named', () => {
    expect(() => layers.rotaryEmbedding({ sequenceAxis: 2, featureAxis: 2 })).toThrow(
      'must differ',
    );
    expect(() => layers.rotaryEmbedding({ ropeType: 'yarn' as never })).toThrow(
      "ropeType must be 'linear'",
    );
    expect(() => layers.rotaryEmbedding().apply(tf.zeros([B, T, 3]))).toThrow('must be even');
    expect(() => layers.rotaryEmbedding().apply(tf.zeros([T, H]))).toThrow(
      'must have a batch axis',
    );
    expect(() => layers.rotaryEmbedding({ scaling: { ...yarn, beta: 3 } as never })).toThrow(
      "unknown option 'beta'",
    );
  });
});
