import * as tf from '@tensorflow/tfjs';
import { layers } from 'tfjs-transformers';
import { maskedBy } from '../../src/layers/lost_mask.js';

const embedding = (maskZero: boolean): { ids: tf.SymbolicTensor; x: tf.SymbolicTensor } => {
  const ids = tf.input({ shape: [5], dtype: 'int32' });
  const layer = tf.layers.embedding({
    name: `words_${maskZero}`,
    inputDim: 7,
    outputDim: 8,
    maskZero,
  });
  return { ids, x: layer.apply(ids) as tf.SymbolicTensor };
};

test('a mask is found through layers that hand it on, and not behind one that does not', () => {
  const { x } = embedding(true);
  expect(maskedBy(x)).toBe('words_true');
  const dropped = tf.layers.dropout({ rate: 0.1 }).apply(x) as tf.SymbolicTensor;
  expect(maskedBy(dropped)).toBe('words_true');
  const flat = tf.layers.flatten().apply(dropped) as tf.SymbolicTensor;
  expect(maskedBy(flat)).toBe(null);
  expect(maskedBy(embedding(false).x)).toBe(null);
});

test('attention says that it would be lost, unless a mask is given', () => {
  const warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  try {
    const { ids, x } = embedding(true);
    const attention = (): layers.MultiHeadAttention =>
      layers.multiHeadAttention({ numHeads: 2, keyDim: 4 });
    attention().apply(x, { paddingMask: layers.paddingMask().apply(ids) });
    attention().apply(embedding(false).x);
    layers.positionEmbedding({ sequenceLength: 5 }).apply(x);
    expect(warn).not.toHaveBeenCalled();
    attention().apply(x);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0][0]).toContain("the mask that layer 'words_true' makes is not used");
  } finally {
    warn.mockRestore();
  }
});
