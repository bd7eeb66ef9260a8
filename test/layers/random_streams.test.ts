import * as tf from '@tensorflow/tfjs';
import { dropout } from '../../src/layers/dropout.js';
import { multiHeadAttention } from '../../src/layers/multi_head_attention.js';
import { collectRandomStreams } from '../../src/layers/random_streams.js';

test('streams of layers and of nested models are found by their path, in order', () => {
  const inner = tf.sequential({
    name: 'inner',
    layers: [dropout({ rate: 0.1, seed: 3, name: 'drop', inputShape: [null, 4] })],
  });
  const x = tf.input({ shape: [null, 4] });
  const attention = multiHeadAttention({ numHeads: 2, keyDim: 2, seed: 5, name: 'attention' });
  const dropped = dropout({ rate: 0.1, seed: 7, name: 'drop' }).apply(attention.apply(x));
  const outputs = inner.apply(dropped) as tf.SymbolicTensor;
  const streams = collectRandomStreams(tf.model({ inputs: x, outputs }));
  expect([...streams].map(([path, stream]) => [path, stream.seed])).toEqual([
    ['attention', 5],
    ['drop', 7],
    ['inner/drop', 3],
  ]);
});
