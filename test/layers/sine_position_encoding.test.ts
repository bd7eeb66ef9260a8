import * as tf from '@tensorflow/tfjs';
import { KVCache } from '../../src/cache/kv_cache.js';
import { sinePositionEncoding } from '../../src/layers/sine_position_encoding.js';
import { checkLayer } from '../../src/testing/index.js';
import { describeBackends } from '../support/backends.js';
import { expectClose } from '../support/expect_close.js';

describeBackends('sinePositionEncoding', () => {
  test('keeps the contract of a layer', async () => {
    const independent = 'the output does not depend on the values of the input';
    await checkLayer(() => sinePositionEncoding({ maxWavelength: 500 }), { shape: [2, 5, 7] });
    await checkLayer(
      () => sinePositionEncoding({ inputs: ['inputs', 'positions'] }),
      [{ shape: [2, 5, 7] }, { shape: [2, 5], dtype: 'int32', max: 1000 }],
      { skip: { gradients: independent } },
    );
  });

  test('the values of keras-hub: sines at even features, cosines at odd ones', () => {
    tf.tidy(() => {
      const got = sinePositionEncoding().apply(tf.zeros([1, 4, 6])) as tf.Tensor;
      const row = (t: number): tf.Tensor => tf.reshape(tf.slice(got, [0, t], [1, 1]), [6]);
      expectClose(row(0), [0, 1, 0, 1, 0, 1]);
      expectClose(row(3), [0.14112, -0.98999, 0.13879, 0.99032, 0.00646, 0.99997]);
    });
  });

  test('startIndex, a cache and positions name the same rows', () => {
    tf.tidy(() => {
      const layer = sinePositionEncoding();
      const x = tf.zeros([2, 3, 5]);
      const whole = layer.apply(tf.zeros([2, 10, 5])) as tf.Tensor;
      const expected = tf.slice(whole, [0, 7], [-1, 3]);
      expectClose(layer.apply(x, { startIndex: 7 }) as tf.Tensor, expected);
      const cache = new KVCache();
      cache.append({}, tf.zeros([2, 7, 1, 1]), tf.zeros([2, 7, 1, 1]));
      expectClose(layer.apply(x, { cache }) as tf.Tensor, expected);
      const positions = tf.tensor1d([7, 8, 9], 'int32');
      expectClose(layer.apply(x, { positions }) as tf.Tensor, expected);
      const perRow = tf.tensor2d([[7, 8, 9], [7, 8, 9]], [2, 3], 'int32'); // prettier-ignore
      expectClose(layer.apply(x, { positions: perRow, cache }) as tf.Tensor, expected);
      cache.dispose();
    });
  });
});

test('sinePositionEncoding refuses bad options', () => {
  expect(() => sinePositionEncoding({ maxWavelength: 0 })).toThrow(
    'SinePositionEncoding: maxWavelength must be a finite number of at least 1, got maxWavelength=0.',
  );
  expect(() => sinePositionEncoding({ wavelength: 5 } as never)).toThrow("unknown option 'wavelength'"); // prettier-ignore
});
