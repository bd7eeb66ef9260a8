import * as tf from '@tensorflow/tfjs';
import { forcePath } from '../../../src/ops/dispatch.js';
import { rotary } from '../../../src/ops/rotary.js';
import { describeKernels } from '../../support/backends.js';
import { randomTensor } from '../../support/check_directional.js';
import { expectClose, expectIdentical } from '../../support/expect_close.js';
import { expectKernelLikeReference } from '../../support/kernel_and_reference.js';

describeKernels('rotary kernel', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  test.each([2, 4, 6, 8, 10, 14, 32, 34])('heads of %i', (H) => {
    expectKernelLikeReference((x) => rotary(x, { offset: 3 }), [randomTensor([2, 5, 3, H], 1)]);
    expectKernelLikeReference((x) => rotary(x), [randomTensor([2, 5, H], 1)]);
  });

  test.each([2, 6, 8, 12])('only the first %i of 13 features', (rotaryDim) => {
    const x = randomTensor([2, 3, 2, 13], 1);
    expectKernelLikeReference((x) => rotary(x, { rotaryDim }), [x]);
    const y = forcePath('kernel', () => rotary(x, { rotaryDim }));
    const rest = 13 - rotaryDim;
    const last = (t: tf.Tensor) => tf.slice(t, [0, 0, 0, rotaryDim], [2, 3, 2, rest]);
    expectIdentical(last(y), last(x));
  });

  test('positions of all rows, and of each', () => {
    const x = randomTensor([2, 3, 2, 6], 1);
    const shared = tf.tensor1d([7, 0, 2], 'int32');
    const each = tf.tensor2d([7, 0, 2, 1, 1, 30], [2, 3], 'int32');
    expectKernelLikeReference((x) => rotary(x, { positions: shared }), [x]);
    expectKernelLikeReference((x) => rotary(x, { positions: each, attentionFactor: 1.3 }), [x]);
  });

  test('the gradient turns back', () => {
    const x = randomTensor([1, 40, 3, 16], 1);
    const back = forcePath('kernel', () => tf.grad((x: tf.Tensor) => rotary(x))(x, rotary(x)));
    expectClose(back, x, { atol: 1e-6, rtol: 1e-6 });
  });

  test('no tokens', () => {
    expectKernelLikeReference((x) => rotary(x), [tf.zeros([0, 3, 2, 4])]);
  });
});
