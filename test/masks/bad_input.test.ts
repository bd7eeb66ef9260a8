import * as tf from '@tensorflow/tfjs';
import * as masks from '../../src/masks/index.js';

describe('masks: bad input', () => {
  const cases: [string, () => unknown, string][] = [
    ['padding, rank', () => masks.padding([1, 2]), 'masks.padding: tokenIds must have shape [B,S], got shape=[2].'],
    ['padding, padId', () => masks.padding([[1]], 0.5), 'masks.padding: padId must be an integer between -2147483648 and 2147483647, got padId=0.5.'],
    ['padding, no tensor', () => masks.padding(null as never), 'masks.padding: tokenIds must be a tensor or nested arrays of numbers, got tokenIds=null.'],
    ['padding, strings', () => masks.padding(tf.tensor2d([['a']])), 'masks.padding: tokenIds must be float32, int32 or bool, got dtype=string.'],
    ['padding, symbolic', () => masks.padding(tf.input({ shape: [3] }) as never), 'masks.padding: tokenIds must hold numbers, got a symbolic tensor. Functions run on numbers only: inside tf.model use a layer, for example layers.paddingMask()'],
    ['causal, T', () => masks.causal(0), 'masks.causal: T must be an integer of at least 1, got T=0.'],
    ['causal, S', () => masks.causal(3, 2.5), 'masks.causal: S must be an integer of at least 1, got S=2.5.'],
    ['causal, offset', () => masks.causal(3, 3, -1), 'masks.causal: offset must be an integer of at least 0, got offset=-1.'],
    ['window', () => masks.slidingWindow(3, 3, 0), 'masks.slidingWindow: window must be an integer of at least 1, got window=0.'],
    ['window, offset', () => masks.slidingWindow(3, 3, 2, 0.5), 'masks.slidingWindow: offset must be an integer of at least 0, got offset=0.5.'],
    ['prefix, rank', () => masks.prefix(tf.zeros([2, 1]), 3), 'masks.prefix: prefixLengths must have shape [B], got shape=[2,1].'],
    ['prefix, values', () => masks.prefix([1, NaN], 3), 'masks.prefix: prefixLengths must be an integer of at least 0, got prefixLengths=NaN.'],
    ['prefix, T', () => masks.prefix([1], Infinity), 'masks.prefix: T must be an integer of at least 1, got T=Infinity.'],
    ['segments, rank', () => masks.segments([[1]], [1]), 'masks.segments: keyIds must have shape [B,S], got shape=[1].'],
    ['segments, batch', () => masks.segments([[1, 2]], [[1], [2]]), 'masks.segments: queryIds and keyIds must have the same batch size, got queryIds=[1,2], keyIds=[2,1].'],
  ]; // prettier-ignore

  test.each(cases)('%s', (_, call, text) => {
    const before = tf.memory().numTensors;
    tf.tidy(() => expect(call).toThrow(text));
    expect(tf.memory().numTensors).toBe(before);
  });
});
