import * as tf from '@tensorflow/tfjs';
import {
  dispatch,
  forcePath,
  type Operation,
  type RestrictedKernel,
} from '../../src/ops/dispatch.js';
import { layerNorm } from '../../src/ops/layer_norm.js';
import { useBackend } from '../support/backends.js';
import { expectClose } from '../support/expect_close.js';
import { expectNoLeaks } from '../support/expect_no_leaks.js';

/** The reference is x·y; the kernel pair answers with its own numbers, so that a test sees who answered. */
describe('dispatch [cpu]', () => {
  const calls: { kernel: string; inputs: string[]; attrs: unknown }[] = [];
  const record = (kernel: string, inputs: object, attrs: unknown): void => {
    calls.push({ kernel, inputs: Object.keys(inputs), attrs });
  };

  const restrict = (supports: RestrictedKernel['supports']): void => {
    Object.assign(tf.getKernel('TestProduct', 'cpu'), { supports });
  };

  beforeAll(async () => {
    await useBackend('cpu');
    x = tf.tensor([1, 2]);
    y = tf.tensor([3, 4]);
    tf.registerKernel({
      kernelName: 'TestProduct',
      backendName: 'cpu',
      kernelFunc: ({ inputs, attrs }) => {
        record('TestProduct', inputs, attrs);
        return [tf.fill([2], 100), tf.fill([3], 7)]; // output and one residual
      },
    });
    tf.registerKernel({
      kernelName: 'TestProductGrad',
      backendName: 'cpu',
      kernelFunc: ({ inputs, attrs }) => {
        record('TestProductGrad', inputs, attrs);
        const { dy, residual0 } = inputs as Record<string, tf.Tensor>;
        const first = tf.tidy(() => tf.mul(dy, tf.mean(residual0)));
        return [first, tf.mul(dy, -1)];
      },
    });
  });
  afterAll(() => {
    tf.unregisterKernel('TestProduct', 'cpu');
    tf.unregisterKernel('TestProductGrad', 'cpu');
  });
  beforeEach(() => {
    calls.length = 0;
    restrict(() => true);
  });

  let x: tf.Tensor;
  let y: tf.Tensor;
  const operation = (x: tf.Tensor, y: tf.Tensor, kernel = 'TestProduct'): Operation => ({
    kernel,
    inputs: { x, y },
    differentiable: ['x', 'y'],
    attrs: { flavour: 'sweet' },
    reference: () => tf.mul(x, y),
  });
  const product = (x: tf.Tensor, y: tf.Tensor): tf.Tensor => dispatch(operation(x, y));
  const gradients = (): tf.Tensor[] =>
    tf.grads((a: tf.Tensor, b: tf.Tensor) => product(a, b))([x, y], tf.tensor([10, 20]));

  test('takes the kernel that is registered, with inputs by name and attributes', () => {
    expectClose(product(x, y), [100, 100]);
    expect(calls).toEqual([
      { kernel: 'TestProduct', inputs: ['x', 'y'], attrs: { flavour: 'sweet' } },
    ]);
  });

  test('takes its gradient kernel, with dy, inputs and residuals', () => {
    const [dx, dy] = gradients();
    expectClose(dx, [70, 140]);
    expectClose(dy, [-10, -20]);
    expect(calls.map(({ kernel, inputs }) => [kernel, inputs])).toEqual([
      ['TestProduct', ['x', 'y']],
      ['TestProductGrad', ['dy', 'x', 'y', 'residual0']],
    ]);
  });

  test('the reference where no kernel is registered', () => {
    expectClose(dispatch(operation(x, y, 'TestUnknown')), [3, 8]);
  });

  test('the reference where it is forced, for the gradient too', () => {
    forcePath('reference', () => {
      expectClose(product(x, y), [3, 8]);
      const [dx, dy] = gradients();
      expectClose(dx, [30, 80]);
      expectClose(dy, [10, 40]);
    });
    expect(calls).toEqual([]);
    expectClose(product(x, y), [100, 100]); // and back to normal
  });

  test('a forced kernel that is not there is an error, and the path is restored', () => {
    expect(() => forcePath('kernel', () => dispatch(operation(x, y, 'TestUnknown')))).toThrow(
      "dispatch: no kernel TestUnknown for this call on backend 'cpu'. Import the entry that registers it.",
    );
    expectClose(dispatch(operation(x, y, 'TestUnknown')), [3, 8]);
    expectClose(
      forcePath('kernel', () => product(x, y)),
      [100, 100],
    );
  });

  test('a restricted kernel runs only the calls that it supports', () => {
    restrict(({ x }, { flavour }) => x.shape[0] === 3 && flavour === 'sweet');
    expectClose(product(x, y), [3, 8]);
    expect(() => forcePath('kernel', () => product(x, y))).toThrow(
      'no kernel TestProduct for this call',
    );
    restrict(({ x }) => x.shape[0] === 2);
    expectClose(product(x, y), [100, 100]);
  });

  test('leaves no tensors behind, forward and backward', () => {
    expectNoLeaks(product, [x, y]);
    forcePath('reference', () => expectNoLeaks(product, [x, y]));
  });

  test('an operation finds its kernel by the documented name', () => {
    const x = tf.tensor([[1, 5]]);
    tf.registerKernel({
      kernelName: 'TransformersLayerNormNoBeta',
      backendName: 'cpu',
      kernelFunc: ({ inputs, attrs }) => {
        record('TransformersLayerNormNoBeta', inputs, attrs);
        return [tf.fill([1, 2], 42)];
      },
    });
    try {
      expectClose(layerNorm(x, tf.ones([2])), [[42, 42]]);
      expect(calls).toEqual([
        {
          kernel: 'TransformersLayerNormNoBeta',
          inputs: ['x', 'gamma'],
          attrs: { axes: [1], epsilon: 1e-5 },
        },
      ]);
    } finally {
      tf.unregisterKernel('TransformersLayerNormNoBeta', 'cpu');
    }
  });
});
