/** Embeddings, positions and normalisations against Keras and keras-hub in float64: every case. */
import * as tf from '@tensorflow/tfjs';
import { layerNormalization } from '../../src/layers/layer_normalization.js';
import { positionEmbedding } from '../../src/layers/position_embedding.js';
import { reversibleEmbedding } from '../../src/layers/reversible_embedding.js';
import { rmsNormalization } from '../../src/layers/rms_normalization.js';
import { sinePositionEncoding } from '../../src/layers/sine_position_encoding.js';
import { tokenAndPositionEmbedding } from '../../src/layers/token_and_position_embedding.js';
import { describeBackends } from '../support/backends.js';
import { loadFixtures } from '../support/fixtures.js';
import { camelCaseKeys, kerasWeights } from '../support/keras_case.js';

const factories: Record<string, (args: never) => tf.layers.Layer> = {
  LayerNormalization: layerNormalization,
  PositionEmbedding: positionEmbedding,
  ReversibleEmbedding: reversibleEmbedding,
  RMSNormalization: rmsNormalization,
  SinePositionEncoding: sinePositionEncoding,
  TokenAndPositionEmbedding: tokenAndPositionEmbedding,
};
const cases = loadFixtures('keras_layers').filter((c) => c.parameters.class_name in factories);

describeBackends('Keras embeddings and normalisations', () => {
  test('all cases are there', () => expect(cases.length).toBeGreaterThanOrEqual(16));

  for (const c of cases) {
    test(c.name, () => {
      tf.tidy(() => {
        const layer = factories[c.parameters.class_name](camelCaseKeys(c.parameters.init) as never);
        const { args, kwargs } = c.parameters.call as { args: string[]; kwargs: object };
        const given = camelCaseKeys(kwargs as Record<string, unknown>);
        const inputs = args.map((name) => c.tensor(name));
        layer.apply(inputs[0], given);
        const names = layer.weights.map((w) => w.originalName.replace(`${layer.name}/`, ''));
        expect(names).toEqual(c.parameters.weights);
        if (names.length > 0) layer.setWeights(kerasWeights(c));
        const out = layer.apply(inputs[0], given) as tf.Tensor;
        c.expect('out', out);
        if (c.has('out_mask')) {
          c.expect('out_mask', (out as unknown as { kerasMask: tf.Tensor }).kerasMask);
        }
        layer.dispose();
      });
    });

    test(`${c.name}: the configuration that Keras saved`, () => {
      const config = camelCaseKeys(c.parameters.config as Record<string, unknown>);
      for (const [name, value] of Object.entries(config)) {
        if (typeof value !== 'object' || value === null || !('class_name' in value)) continue;
        config[name] = camelCaseKeys(value as Record<string, unknown>);
      }
      const type = factories[c.parameters.class_name](camelCaseKeys(c.parameters.init) as never)
        .constructor as tf.serialization.SerializableConstructor<tf.layers.Layer>;
      delete config.dtype; // a policy; TensorFlow.js ignores it
      const ours = type.fromConfig(type, config as never).getConfig();
      for (const [name, value] of Object.entries(ours)) {
        if (name === 'dtype' || typeof config[name] === 'object') continue;
        expect([name, value]).toEqual([name, config[name]]);
      }
    });
  }
});
