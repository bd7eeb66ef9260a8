import * as tf from '@tensorflow/tfjs';
import { accuracy, nextToken, perplexity } from '../../src/training/losses.js';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { expectClose } from '../support/expect_close.js';

describeBackends('losses', () => {
  const logits = (): tf.Tensor =>
    tf.tensor3d([
      [
        [2, 0, 0],
        [0, 0, 0],
        [9, 0, 5],
      ],
    ]);

  test('nextToken is the mean over counted labels, for [B,T] and [B,T,1]', () => {
    const first = Math.log(Math.exp(2) + 2) - 2;
    const expected = tf.scalar((first + Math.log(3)) / 2);
    expectClose(nextToken()(tf.tensor2d([[0, 1, -100]], [1, 3], 'int32'), logits()), expected);
    expectClose(nextToken()(tf.tensor3d([[[0], [1], [-100]]]), logits()), expected);
    expectClose(
      nextToken({ ignoreIndex: 1 })(tf.tensor2d([[0, 1, 1]], [1, 3], 'int32'), logits()),
      tf.scalar(first),
    );
  });

  test('accuracy counts the same labels', () => {
    const labels = tf.tensor2d([[0, 1, -100]], [1, 3], 'int32');
    expectClose(accuracy()(labels, logits()), tf.scalar(0.5)); // a tie goes to the first
    expectClose(accuracy()(tf.fill([1, 3], -100), logits()), tf.scalar(0));
    expect(accuracy().name).toBe('accuracy');
  });

  test('perplexity is e to the power of the loss', () => {
    const labels = tf.tensor2d([[-100, 1, -100]], [1, 3], 'int32');
    expectClose(perplexity()(labels, logits()), tf.scalar(3)); // three equal logits
    expect(perplexity().name).toBe('perplexity');
  });

  test('no tensors are left', () => {
    const [labels, values] = [tf.tensor2d([[0, 1, -100]], [1, 3], 'int32'), logits()];
    expectNoLeak(() => [nextToken, accuracy, perplexity].map((make) => make()(labels, values)));
  });

  test('labels of another shape are refused', () => {
    expect(() => nextToken()(tf.zeros([1, 2]), logits())).toThrow(
      'losses.nextToken: labels must have shape [1,3] or [1,3,1] for logits of shape [1,3,3], got shape=[1,2].',
    );
  });
});
