import * as tf from '@tensorflow/tfjs';
import { dropout } from '../../src/layers/dropout.js';
import { checkLayer } from '../../src/testing/index.js';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { expectIdentical } from '../support/expect_close.js';

describeBackends('dropout', () => {
  test('keeps the contract of a layer', async () => {
    await checkLayer(() => dropout({ rate: 0.5, seed: 3 }), { shape: [2, 3, 5] });
  });

  test('acts only in training, drops about the rate, and repeats from its seed', () => {
    tf.tidy(() => {
      const x = tf.ones([100, 100]);
      const layer = dropout({ rate: 0.2, seed: 7 });
      expectIdentical(layer.apply(x) as tf.Tensor, x);
      const first = layer.apply(x, { training: true }) as tf.Tensor;
      const dropped = tf.sum(tf.equal(first, 0)).dataSync()[0];
      expect(Math.abs(dropped - 2000)).toBeLessThan(200); // five standard deviations
      expectIdentical(tf.max(first), tf.scalar(1.25));
      const second = layer.apply(x, { training: true }) as tf.Tensor;
      expect(tf.any(tf.notEqual(first, second)).dataSync()[0]).toBe(1);
      expect(layer.randomStream.counter).toBe(2);
      const again = dropout({ rate: 0.2, seed: 7 });
      expectIdentical(again.apply(x, { training: true }) as tf.Tensor, first);
      layer.randomStream.counter = 1;
      expectIdentical(layer.apply(x, { training: true }) as tf.Tensor, second);
    });
  });

  test('leaves nothing behind in training', () => {
    const x = tf.ones([3, 5]);
    const layer = dropout({ rate: 0.2 });
    expectNoLeak(() => layer.apply(x, { training: true }) as tf.Tensor);
    x.dispose();
  });
});

test('dropout refuses a rate out of range and unknown options', () => {
  expect(() => dropout({ rate: 1 })).toThrow(
    'Dropout: rate must be at least 0 and below 1, got rate=1.',
  );
  expect(() => dropout({ rate: 0.1, noiseShape: [1] } as never)).toThrow("unknown option 'noiseShape'"); // prettier-ignore
});
