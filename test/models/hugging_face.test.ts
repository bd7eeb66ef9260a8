/** Models with the weights of checkpoints give the numbers of Hugging Face, masked rows included. */
import * as tf from '@tensorflow/tfjs';
import { attentionScores } from '../../src/layers/attention_scores.js';
import { bert, type BertOptions } from '../../src/models/bert.js';
import { gpt2 } from '../../src/models/gpt2.js';
import { llama } from '../../src/models/llama.js';
import { describeBackends } from '../support/backends.js';
import { expectIdentical } from '../support/expect_close.js';
import { loadFixtures, type FixtureCase } from '../support/fixtures.js';
import { bertCheckpoint, causalCheckpoint, checkpointConfig } from '../support/huggingface.js';

const cases = loadFixtures('huggingface');
const caseOf = (name: string): FixtureCase => cases.find((c) => c.name === name)!;
const causal = cases.filter((c) => c.has('left_padded/logits'));

describeBackends('checkpoints of Hugging Face', () => {
  test('all of them are here', () => expect([cases.length, causal.length]).toEqual([7, 5]));

  test.each(causal.map((c) => [c.name, c] as const))('%s: logits', (name, c) => {
    const shape = { inputs: ['tokenIds', 'paddingMask', 'positions'] } as const;
    for (const version of name.startsWith('llama')
      ? ['config.json', 'config.v4.json']
      : ['config.json']) {
      const config = checkpointConfig(name, version);
      const make = config.model_type === 'gpt2' ? gpt2 : llama;
      const plain = make(config) as unknown as tf.LayersModel;
      const full = make(config, shape as never) as unknown as tf.LayersModel;
      const { weights } = causalCheckpoint(name);
      tf.tidy(() => {
        for (const model of [plain, full]) model.setWeights(weights.map((w) => w.read()));
        const apply = (model: tf.LayersModel, x: tf.Tensor | tf.Tensor[]): tf.Tensor =>
          model.apply(x, { training: false }) as tf.Tensor;
        c.expect('logits', apply(plain, c.tensor('input_ids')));
        const padded = ['input_ids', 'attention_mask', 'position_ids'].map((key) =>
          c.tensor(`left_padded/${key}`),
        );
        c.expect('left_padded/logits_with_position_ids', apply(full, padded));
        const [ids, mask] = padded;
        const places = tf.broadcastTo(tf.range(0, ids.shape[1]!), ids.shape);
        c.expect('left_padded/logits', apply(full, [ids, mask, places]));
        const called = plain.apply(ids, { paddingMask: mask, positions: padded[2] }) as tf.Tensor;
        c.expect('left_padded/logits_with_position_ids', called);
      });
      for (const model of [plain, full]) model.dispose();
    }
  });

  test.each(causal.filter((c) => c.has('attentions')).map((c) => [c.name, c] as const))(
    '%s: attention maps',
    (name, c) => {
      const model = causalCheckpoint(name);
      const scores = attentionScores(model, c.tensor('input_ids'));
      tf.tidy(() => c.expect('attentions', tf.stack([...scores.values()])));
      tf.dispose([...scores.values()]);
      model.dispose();
    },
  );

  test.each(['bert', 'bert_mlm'])('%s: hidden states, pooler, logits', (name) => {
    const c = caseOf(name);
    const outputs = (
      name === 'bert' ? ['lastHiddenState', 'poolerOutput'] : ['lastHiddenState', 'logits']
    ) as BertOptions['outputs'];
    const inputs = ['tokenIds', 'tokenTypeIds', 'paddingMask'] as BertOptions['inputs'];
    const full = bertCheckpoint(name, { outputs, inputs });
    const ids = bertCheckpoint(name, { outputs });
    tf.tidy(() => {
      const given = ['input_ids', 'token_type_ids', 'attention_mask'].map((key) => c.tensor(key));
      const [hidden, second] = full.predict(given) as tf.Tensor[];
      if (name === 'bert') c.expect('last_hidden_state', hidden);
      c.expect(name === 'bert' ? 'pooler_output' : 'logits', second);
      const called = ids.apply(given[0], { tokenTypeIds: given[1], paddingMask: given[2] });
      expectIdentical((called as tf.Tensor[])[1], second);
      const row = tf.slice(given[0], [0, 0], [1, -1]);
      const [alone, logits] = ids.predict(row) as tf.Tensor[];
      if (name === 'bert') c.expect('last_hidden_state_ids_only', alone);
      else c.expect('logits_ids_only', logits);
    });
    for (const model of [full, ids]) model.dispose();
  });
});

test('bert refuses outputs that it does not have', () => {
  const options = {
    vocabularySize: 7,
    maxSequenceLength: 5,
    hiddenDim: 6,
    numLayers: 1,
    numHeads: 2,
  };
  expect(() => bert({ ...options, outputs: ['pooled'] as never })).toThrow(
    'bert: outputs must be some of lastHiddenState, poolerOutput, logits, each once',
  );
});
