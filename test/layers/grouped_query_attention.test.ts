import * as tf from '@tensorflow/tfjs';
import { groupedQueryAttention } from '../../src/layers/grouped_query_attention.js';
import { multiHeadAttention } from '../../src/layers/multi_head_attention.js';
import { checkLayer } from '../../src/testing/index.js';
import { describeBackends } from '../support/backends.js';
import { randomTensor } from '../support/check_directional.js';
import { expectClose } from '../support/expect_close.js';
import { saveAndLoad } from '../support/save_and_load.js';

const sizes = { headDim: 3, numQueryHeads: 4, numKeyValueHeads: 2 };
const D = 5;

describeBackends('groupedQueryAttention', () => {
  test('keeps the contract of a layer', async () => {
    const x = { shape: [2, 3, D] };
    await checkLayer(() => groupedQueryAttention(sizes), x);
    const all = { useGate: true, useBias: false, qkNorm: true, rotary: { rotaryDim: 2 }, useCausalMask: true }; // prettier-ignore
    await checkLayer(() => groupedQueryAttention({ ...sizes, numKeyValueHeads: 1, ...all }), x);
    const step =
      'TensorFlow.js adds the losses of all outputs, of whatever shape, before it averages';
    const withScores = () => groupedQueryAttention({ ...sizes, returnAttentionScores: true });
    await checkLayer(withScores, [x, { shape: [2, 7, D + 1] }], { skip: { step } });
  });

  test('is multi-head attention whose heads repeat those of key and value', () => {
    tf.tidy(() => {
      const x = randomTensor([2, 5, D], 1);
      const grouped = groupedQueryAttention(sizes);
      const multi = multiHeadAttention({ numHeads: 4, keyDim: 3 });
      [grouped, multi].forEach((layer) => layer.apply(x));
      const repeat = (w: tf.Tensor): tf.Tensor => tf.gather(w, [0, 0, 1, 1], w.rank - 2);
      const weights = grouped.getWeights().map((_, i) => randomTensor(grouped.weights[i].shape as number[], i)); // prettier-ignore
      grouped.setWeights(weights);
      const names = grouped.weights.map((w) => w.originalName.split('/')[1]);
      multi.setWeights(weights.map((w, i) => (/key|value/.test(names[i]) ? repeat(w) : w)));
      const [out, scores] = grouped.apply(x, { returnAttentionScores: true }) as tf.Tensor[];
      const [out2, scores2] = multi.apply(x, { returnAttentionScores: true }) as tf.Tensor[];
      expectClose(out, out2);
      expectClose(scores, scores2);
      [grouped, multi].forEach((layer) => layer.dispose());
    });
  });

  test('a model saved under either name of the class comes back', async () => {
    const x = tf.input({ shape: [null, D] });
    const layer = groupedQueryAttention(sizes);
    expect(layer.getClassName()).toBe('GroupQueryAttention');
    const model = tf.model({ inputs: x, outputs: layer.apply(x) as tf.SymbolicTensor });
    await saveAndLoad(model);
    const topology = JSON.stringify(model.toJSON(null, false));
    const renamed = topology.replace('"GroupQueryAttention"', '"GroupedQueryAttention"');
    expect(renamed).not.toBe(topology);
    const again = await tf.models.modelFromJSON({ modelTopology: JSON.parse(renamed) });
    expect(again.layers[1].getConfig()).toEqual(layer.getConfig());
  });
});

describe('groupedQueryAttention', () => {
  test.each([
    [8, 8],
    [8, 2],
    [8, 1],
  ])('shapes with %i query heads and %i of key and value', (numQueryHeads, numKeyValueHeads) => {
    const layer = groupedQueryAttention({ headDim: 3, numQueryHeads, numKeyValueHeads });
    const inputs = [tf.input({ shape: [4, 6] }), tf.input({ shape: [10, 7] })];
    const outputs = layer.apply(inputs, { returnAttentionScores: true }) as tf.SymbolicTensor[];
    expect(outputs.map(({ shape }) => shape)).toEqual([[null, 4, 6], [null, numQueryHeads, 4, 10]]); // prettier-ignore
    expect(layer.weights.map((w) => w.shape)).toEqual([
      [6, numQueryHeads, 3], [numQueryHeads, 3], [7, numKeyValueHeads, 3], [numKeyValueHeads, 3],
      [7, numKeyValueHeads, 3], [numKeyValueHeads, 3], [numQueryHeads, 3, 6], [6],
    ]); // prettier-ignore
  });

  test('refuses heads that do not divide, other ranks, and unknown options', () => {
    expect(() => groupedQueryAttention({ ...sizes, numKeyValueHeads: 3 })).toThrow(
      'GroupedQueryAttention: numQueryHeads must be a multiple of numKeyValueHeads, got numQueryHeads=4, numKeyValueHeads=3.',
    );
    const layer = groupedQueryAttention({ ...sizes, name: 'attention' });
    expect(() => layer.apply(tf.ones([2, 3, 4, D]))).toThrow(
      'attention: inputs must have rank 3, [B,T,D], got rank 4.',
    );
    expect(() => groupedQueryAttention({ ...sizes, keyDim: 3 } as never)).toThrow(
      "unknown option 'keyDim'",
    );
  });
});
