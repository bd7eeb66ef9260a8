import * as tf from '@tensorflow/tfjs';
import { checkNoLeaks } from '../../src/testing/index.js';
import { describeBackends } from '../support/backends.js';

describeBackends('checkNoLeaks', () => {
  test('says what is left and what is gone', () => {
    const x = tf.tensor1d([1, 2]);
    const kept: tf.Tensor[] = [];
    checkNoLeaks(() => tf.square(x));
    checkNoLeaks(() => ({ a: tf.square(x), b: [tf.neg(x)] }));
    expect(() => {
      checkNoLeaks(() => {
        kept.push(tf.square(x), tf.neg(x));
        return [];
      });
    }).toThrow(
      'checkNoLeaks: no tensor may be left behind, got 2 more than before. Wrap the body in tf.tidy().',
    );
    expect(() => {
      checkNoLeaks(() => x);
    }).toThrow(
      'checkNoLeaks: tensors that were there before must stay, got 1 fewer. Do not dispose of inputs.',
    );
    expect(() => {
      checkNoLeaks(() => Promise.resolve() as never);
    }).toThrow('checkNoLeaks: fn must be synchronous, got a promise.');
    tf.dispose(kept);
  });
});
