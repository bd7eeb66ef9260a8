import * as tf from '@tensorflow/tfjs';
import { compile } from '../../src/training/compile.js';
import { fit } from '../../src/training/fit.js';
import { freeze, unfreeze } from '../../src/training/freeze.js';
import { textDataset } from '../../src/training/text_dataset.js';
import { describeBackends, useBackend } from '../support/backends.js';
import { saveAndLoad } from '../support/save_and_load.js';
import { tinyModel } from './tiny_model.js';

const dataset = () =>
  textDataset(
    Array.from({ length: 40 }, (_, i) => i % 11),
    { sequenceLength: 5, batchSize: 4 },
  );
const values = (model: tf.LayersModel): Map<string, string> =>
  new Map(model.weights.map((w) => [w.name, w.read().dataSync().join()]));
const changed = (model: tf.LayersModel, before: Map<string, string>): string[] =>
  [...values(model)].filter(([name, value]) => before.get(name) !== value).map(([name]) => name);

describeBackends('freeze', () => {
  test('what is frozen stays as it is in both loops, all else learns', async () => {
    for (const loop of ['ours', 'tensorflow.js']) {
      const model = tinyModel({ numLayers: 2, tieEmbeddings: false });
      const all = model.weights.length;
      const frozen = freeze(model, 'token_embedding', 'block_0', '*beta');
      expect(frozen).toContain('block_0/self_attention/query/kernel');
      expect(frozen).toContain('block_1/self_attention_layer_norm/beta');
      expect(frozen).not.toContain('block_1/self_attention/query/kernel');
      expect(model.trainableWeights).toHaveLength(all - frozen.length);
      const before = values(model);
      if (loop === 'ours') await fit(model, dataset(), { learningRate: 0.01, steps: 2 });
      else {
        compile(model, { learningRate: 0.01 });
        await model.fitDataset(dataset() as never, { epochs: 1, verbose: 0 });
      }
      expect(changed(model, before)).toHaveLength(all - frozen.length);
      unfreeze(model, 'block_0');
      expect(model.trainableWeights.map((w) => w.originalName)).toContain(
        'block_0/self_attention/query/kernel',
      );
    }
  });
});

describe('freeze', () => {
  beforeAll(() => useBackend('cpu'));

  test('names match whole parts of paths', () => {
    const model = tinyModel({ numLayers: 2 });
    expect(() => freeze(model, 'block')).toThrow(
      "freeze: a pattern must name weights of the model, got 'block'. Its weights are",
    );
    expect(freeze(model, 'final_norm')).toEqual(['final_norm/gamma', 'final_norm/beta']);
    expect(freeze(model, 'block_*/self_attention/query/bias')).toHaveLength(2);
    expect(unfreeze(model, '*')).toHaveLength(model.weights.length);
    expect(() => freeze(model)).toThrow('freeze: give at least one pattern');
    expect(() => freeze(model, '')).toThrow("a pattern must be a text such as 'block_0', got ''.");
  });

  test('a frozen model saves and comes back as it was', async () => {
    const model = tinyModel();
    const ids = tf.tensor2d([[1, 2, 3]], [1, 3], 'int32');
    const before = (model.predict(ids) as tf.Tensor).dataSync();
    freeze(model, 'token_embedding', 'block_0/self_attention');
    const loaded = await saveAndLoad(model);
    expect((loaded.predict(ids) as tf.Tensor).dataSync()).toEqual(before);
    expect(freeze(loaded, 'block_0/self_attention')).toHaveLength(8);
  });
});
