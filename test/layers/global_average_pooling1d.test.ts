import * as tf from '@tensorflow/tfjs';
import { globalAveragePooling1d } from '../../src/layers/global_average_pooling1d.js';
import { checkLayer } from '../../src/testing/index.js';
import { describeBackends } from '../support/backends.js';
import { checkDirectional, randomTensor } from '../support/check_directional.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';
import { saveAndLoad } from '../support/save_and_load.js';

describeBackends('globalAveragePooling1d', () => {
  test('keeps the contract of a layer', async () => {
    const x = { shape: [2, 3, 5] };
    await checkLayer(() => globalAveragePooling1d(), x);
    await checkLayer(() => globalAveragePooling1d(), [x, { shape: [2, 3], dtype: 'int32' }]);
    await checkLayer(
      () => globalAveragePooling1d({ inputs: ['inputs', 'paddingMask'] }),
      [x, { shape: [2, 1, 1, 3], dtype: 'int32' }],
    );
  });

  test('mean over real positions; a row without any is 0; no mask is the plain mean', () => {
    tf.tidy(() => {
      const x = tf.tensor3d([[[1, 2], [3, 4], [5, 9]], [[1, 1], [2, 2], [3, 3]]]); // prettier-ignore
      const layer = globalAveragePooling1d();
      const mask = tf.tensor2d([[1, 1, 0], [0, 0, 0]]); // prettier-ignore
      expectClose(layer.apply([x, mask]) as tf.Tensor, [[2, 3], [0, 0]]); // prettier-ignore
      const named = { paddingMask: tf.reshape(mask, [2, 1, 1, 3]) };
      expectClose(layer.apply(x, named) as tf.Tensor, [[2, 3], [0, 0]]); // prettier-ignore
      expectClose(layer.apply(x) as tf.Tensor, [[3, 5], [2, 2]]); // prettier-ignore
    });
  });

  test('what is masked has no effect, to the last bit, forward and backward', () => {
    tf.tidy(() => {
      const layer = globalAveragePooling1d();
      const x = randomTensor([2, 3, 5], 1);
      const mask = tf.tensor2d([[1, 0, 1], [0, 1, 0]]); // prettier-ignore
      const hidden = tf.logicalNot(tf.cast(mask, 'bool'));
      const wild = tf.where(tf.expandDims(hidden, -1), tf.fill([2, 3, 5], 1e30), x);
      const pool = (at: tf.Tensor): tf.Tensor => layer.apply([at, mask]) as tf.Tensor;
      expectIdentical(pool(wild), pool(x));
      const gradient = tf.grad((at) => tf.sum(tf.square(pool(at))));
      expectIdentical(gradient(wild), gradient(x));
      expectIdentical(tf.mul(gradient(wild), tf.expandDims(tf.cast(hidden, 'float32'), -1)), tf.zeros([2, 3, 5])); // prettier-ignore
      checkDirectional(pool, [x]);
    });
  });

  test('a symbolic mask is recorded and survives saving', async () => {
    const [x, mask] = [tf.input({ shape: [null, 5] }), tf.input({ shape: [null] })];
    const layer = globalAveragePooling1d();
    const outputs = layer.apply(x, { paddingMask: mask }) as tf.SymbolicTensor;
    expect(outputs.shape).toEqual([null, 5]);
    const loaded = await saveAndLoad(tf.model({ inputs: [x, mask], outputs }));
    tf.tidy(() => {
      const fed = [randomTensor([2, 3, 5], 1), tf.tensor2d([[1, 0, 1], [0, 1, 0]])]; // prettier-ignore
      expectIdentical(loaded.predict(fed) as tf.Tensor, layer.apply(fed) as tf.Tensor);
    });
  });
});

test('globalAveragePooling1d refuses other shapes', () => {
  const layer = globalAveragePooling1d({ name: 'pool' });
  expect(() => layer.apply(tf.ones([2, 3]))).toThrow(
    'pool: inputs must have shape [B,T,D], got inputs=[2,3].',
  );
  expect(() => layer.apply([tf.ones([2, 3, 5]), tf.ones([2, 5])])).toThrow(
    'pool: paddingMask must have shape [B,T]=[2,3] or [B,1,1,T], got paddingMask=[2,5].',
  );
  expect(() => globalAveragePooling1d({ dataFormat: 'channelsLast' } as never)).toThrow(
    "unknown option 'dataFormat'",
  );
});
