/** Attention without projections, blocks, rotary and linear biases against Keras and keras-hub in float64: every case. */
import * as tf from '@tensorflow/tfjs';
import { KVCache } from '../../src/cache/kv_cache.js';
import { additiveAttention } from '../../src/layers/additive_attention.js';
import { alibiBias } from '../../src/layers/alibi_bias.js';
import { attention } from '../../src/layers/attention.js';
import { rotaryEmbedding } from '../../src/layers/rotary_embedding.js';
import { transformerDecoder } from '../../src/layers/transformer_decoder.js';
import { transformerEncoder } from '../../src/layers/transformer_encoder.js';
import { describeBackends } from '../support/backends.js';
import { loadFixtures, type FixtureCase } from '../support/fixtures.js';
import { camelCaseConfig, camelCaseKeys, kerasWeights } from '../support/keras_case.js';

const factories: Record<string, (args: never) => tf.layers.Layer> = {
  AdditiveAttention: additiveAttention,
  AlibiBias: alibiBias,
  Attention: attention,
  RotaryEmbedding: rotaryEmbedding,
  TransformerDecoder: transformerDecoder,
  TransformerEncoder: transformerEncoder,
};
const cases = loadFixtures('keras_layers').filter((c) => c.parameters.class_name in factories);
const plain = cases.filter((c) => !('prefill_length' in c.parameters));
const cached = cases.filter((c) => 'prefill_length' in c.parameters);

const layerOf = (c: FixtureCase): tf.layers.Layer =>
  factories[c.parameters.class_name](camelCaseKeys(c.parameters.init) as never);

/** Inputs and call arguments of a case, with the mask beside an input that is an embedding. */
function callOf(c: FixtureCase): [tf.Tensor[], Record<string, unknown>] {
  const { args, kwargs } = c.parameters.call as { args: unknown[]; kwargs: object };
  const embed = (c.parameters.embed ?? {}) as Record<string, { ids: string }>;
  const get = (name: string): tf.Tensor | null => {
    if (!(name in embed)) return c.has(name) ? c.tensor(name) : null;
    const ids = c.tensor(embed[name].ids);
    const [V, D] = c.array(`${name}_embeddings`).shape;
    const layer = tf.layers.embedding({ inputDim: V, outputDim: D, maskZero: true });
    layer.apply(ids);
    layer.setWeights([c.tensor(`${name}_embeddings`)]);
    return layer.apply(ids) as tf.Tensor;
  };
  const given = Object.entries(camelCaseKeys(kwargs as never)).map(([name, value]) => {
    if (Array.isArray(value)) return [name, value.map((v) => get(v as string))];
    return [name, typeof value === 'string' ? get(value) : value];
  });
  return [args.flat().map((name) => get(name as string)!), Object.fromEntries(given)];
}

describeBackends('Keras attention, blocks and positions', () => {
  test('all cases are there', () => expect([plain.length, cached.length]).toEqual([33, 4]));

  test.each(plain.map((c) => [c.name, c] as const))('%s', (_, c) => {
    tf.tidy(() => {
      const layer = layerOf(c);
      const [inputs, given] = callOf(c);
      const call = (): tf.Tensor | tf.Tensor[] =>
        layer.apply(inputs.length === 1 ? inputs[0] : inputs, given) as tf.Tensor;
      call();
      const names = layer.weights.map((w) => w.originalName.slice(layer.name.length + 1));
      expect(names).toEqual(c.parameters.weights);
      if (names.length > 0) layer.setWeights(kerasWeights(c));
      const [out, scores] = [call()].flat();
      c.expect('out', out);
      if (scores as unknown) c.expect('scores', scores);
      if (c.has('out_mask')) {
        c.expect('out_mask', (out as unknown as { kerasMask: tf.Tensor }).kerasMask);
      }
      layer.dispose();
    });
  });

  test.each(plain.map((c) => [c.name, c] as const))(
    '%s: the configuration that Keras saved',
    (_, c) => {
      const config = camelCaseConfig(c.parameters.config);
      const type = layerOf(c)
        .constructor as tf.serialization.SerializableConstructor<tf.layers.Layer>;
      const ours = type.fromConfig(type, config as never).getConfig();
      for (const [name, value] of Object.entries(ours)) {
        if (name === 'dtype' || (typeof config[name] === 'object' && config[name] !== null))
          continue;
        // Ours, null until it is used.
        if (!(name in config)) expect([name, value]).toEqual([name, null]);
        else expect([name, value]).toEqual([name, config[name]]);
      }
    },
  );

  test.each(cached.map((c) => [c.name, c] as const))('%s', (_, c) => {
    tf.tidy(() => {
      const layer = layerOf(c);
      const x = c.tensor('decoder_sequence');
      const encoder = c.has('encoder_sequence') ? [c.tensor('encoder_sequence')] : [];
      const [B, T, D] = x.shape;
      layer.apply([x, ...encoder]);
      layer.setWeights(kerasWeights(c));
      c.expect('out_full', layer.apply([x, ...encoder]) as tf.Tensor);
      const cache = new KVCache();
      const steps: tf.Tensor[] = [];
      const prefill = c.parameters.prefill_length as number;
      for (let at = 0; at < T!; at += at === 0 ? prefill : 1) {
        const part = tf.slice(x, [0, at, 0], [B, at === 0 ? prefill : 1, D!]);
        // After the first call the encoder's sequence is not read: its keys and values are in the cache.
        const source = at === 0 ? encoder : encoder.map((e) => tf.fill(e.shape, NaN));
        steps.push(layer.apply([part, ...source], { cache }) as tf.Tensor);
      }
      c.expect('out_steps', tf.concat(steps, 1));
      cache.dispose();
      layer.dispose();
    });
  });
});
