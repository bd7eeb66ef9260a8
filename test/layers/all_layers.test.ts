import * as tf from '@tensorflow/tfjs';
import { layers, models } from 'tfjs-transformers';
import { allLayers } from '../../src/layers/all_layers.js';

test('finds layers inside layers, inside models and inside wrappers, by their paths', () => {
  const model = models.causalLM({
    vocabularySize: 5, maxSequenceLength: 7, hiddenDim: 4, numLayers: 1, numHeads: 2, name: 'inner',
  }); // prettier-ignore
  const ids = tf.input({ shape: [null], dtype: 'int32' });
  const wrapped = tf.layers.timeDistributed({
    name: 'each',
    layer: layers.dense({ name: 'dense', units: 3 }),
  });
  const outer = tf.model({
    inputs: ids,
    outputs: wrapped.apply(model.apply(ids) as tf.SymbolicTensor) as tf.SymbolicTensor,
  });
  const paths = [...allLayers(outer).keys()];
  for (const path of [
    'inner/block_0/self_attention',
    'inner/token_embedding',
    'each',
    'each/dense',
  ]) {
    expect(paths).toContain(path);
  }
  expect(paths.indexOf('inner/block_0')).toBeLessThan(
    paths.indexOf('inner/block_0/self_attention'),
  );
  expect(allLayers({} as tf.LayersModel).size).toBe(0);
});
