import * as tf from '@tensorflow/tfjs';
import { attentionScores } from '../../src/layers/attention_scores.js';
import { multiHeadAttention } from '../../src/layers/multi_head_attention.js';
import { describeBackends } from '../support/backends.js';
import { randomTensor } from '../support/check_directional.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';

describeBackends('attentionScores', () => {
  test('hands out the probabilities of every attention layer, in order, and nothing else', () => {
    const x = tf.input({ shape: [null, 5] });
    const options = { numHeads: 2, keyDim: 3 };
    const first = multiHeadAttention({ ...options, dropout: 0.5 });
    const second = multiHeadAttention({ ...options, useCausalMask: true });
    const outputs = second.apply(first.apply(x)) as tf.SymbolicTensor;
    const model = tf.model({ inputs: x, outputs });
    const fed = randomTensor([2, 4, 5], 1);
    const before = tf.memory().numTensors;
    const scores = attentionScores(model, fed);
    expect(tf.memory().numTensors - before).toBe(2);
    expect([...scores.keys()]).toEqual([first.name, second.name]);
    tf.tidy(() => {
      const [a, b] = [...scores.values()];
      const [, expected] = first.apply(fed, { returnAttentionScores: true }) as tf.Tensor[];
      expectIdentical(a, expected);
      expectClose(tf.sum(b, -1), tf.ones([2, 2, 4]));
      expectIdentical(tf.slice(b, [0, 0, 0, 1], [-1, -1, 1, -1]), tf.zeros([2, 2, 1, 3]));
    });
    tf.dispose([...scores.values(), fed]);
  });
});
