import * as tf from '@tensorflow/tfjs';
import { cacheWrite, writesInPlace } from '../../src/ops/cache_write.js';
import { forcePath } from '../../src/ops/dispatch.js';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { checkDirectional, randomTensor } from '../support/check_directional.js';
import { expectIdentical } from '../support/expect_close.js';

describeBackends('cacheWrite', (backend) => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  test('puts rows where they belong', () => {
    const buffer = () => tf.tensor3d([1, 2, 3, 4, 5, 6], [2, 3, 1]);
    const rows = (...values: number[]) => tf.tensor3d(values, [2, values.length / 2, 1]);
    const flat = (x: tf.Tensor) => tf.reshape(x, [2, 3]);
    expectIdentical(flat(cacheWrite(buffer(), rows(7, 8), 0)), [
      [7, 2, 3],
      [8, 5, 6],
    ]);
    expectIdentical(flat(cacheWrite(buffer(), rows(7, 8, 9, 0), 1)), [
      [1, 7, 8],
      [4, 9, 0],
    ]);
    expectIdentical(flat(cacheWrite(buffer(), rows(7, 8, 9, 0, 1, 2), 0)), [
      [7, 8, 9],
      [0, 1, 2],
    ]);
    expectIdentical(flat(cacheWrite(buffer(), tf.zeros([2, 0, 1]), 3)), [
      [1, 2, 3],
      [4, 5, 6],
    ]);
  });

  test('differentiates in both', () => {
    const inputs = [randomTensor([2, 5, 3], 1), randomTensor([2, 2, 3], 2)];
    checkDirectional((buffer, rows) => cacheWrite(tf.mul(buffer, 2), rows, 1), inputs);
  });

  test('leaves nothing behind but its result', () => {
    const [buffer, rows] = [tf.zeros([2, 5, 3]), tf.ones([2, 1, 3])];
    expectNoLeak(() => cacheWrite(buffer, rows, 4));
  });

  test('says whether it writes in place', () => {
    expect(writesInPlace()).toBe(backend.startsWith('wasm-'));
    expect(forcePath('reference', writesInPlace)).toBe(false);
  });

  test('says what is wrong', () => {
    const buffer = tf.zeros([2, 5, 3]);
    expect(() => cacheWrite(buffer, tf.zeros([1, 1, 3]), 0)).toThrow(
      'cacheWrite: rows must be of the dtype and, but for axis 1, the shape of the buffer, ' +
        'got buffer=[2,5,3] float32, rows=[1,1,3] float32.',
    );
    expect(() => cacheWrite(buffer, tf.zeros([2, 1, 3], 'int32'), 0)).toThrow('rows=[2,1,3] int32');
    expect(() => cacheWrite(buffer, tf.zeros([2, 2, 3]), 4)).toThrow(
      'cacheWrite: at must be an integer between 0 and 3, got at=4.',
    );
  });
});
