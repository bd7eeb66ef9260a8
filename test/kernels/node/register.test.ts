import * as tf from '@tensorflow/tfjs';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ops } from 'tfjs-transformers';
import { registerKernels, unregisterKernels } from 'tfjs-transformers/node';
import { forgetGraphs } from '../../../src/kernels/node/kernel.js';
import type { NodeBackend } from '../../../src/kernels/node/session.js';
import { forcePath } from '../../../src/ops/dispatch.js';
import { describeNodeKernels } from '../../support/backends.js';
import { expectClose, expectIdentical } from '../../support/expect_close.js';

const names = (): string[] =>
  tf
    .getKernelsForBackend('tensorflow')
    .map(({ kernelName }) => kernelName)
    .filter((name) => name.startsWith('Transformers'))
    .sort();

test('every kernel of an operation with a gradient has its pair', () => {
  registerKernels();
  const withoutGradient = ['TransformersAdamW', 'TransformersTensorSums'];
  const all = names();
  expect(all.length).toBeGreaterThan(30);
  const alone = all.filter((name) => {
    const partner = name.endsWith('Grad') ? name.slice(0, -4) : `${name}Grad`;
    return !all.includes(partner) && !withoutGradient.includes(name);
  });
  expect(alone).toEqual([]);
});

test('registered twice is as good as once, and taken back nothing is left', () => {
  registerKernels();
  const before = names().map((name) => tf.getKernel(name, 'tensorflow'));
  registerKernels();
  const after = names().map((name) => tf.getKernel(name, 'tensorflow'));
  expect(after.length).toBe(before.length);
  expect(after.every((kernel, i) => kernel === before[i])).toBe(true);
  unregisterKernels();
  unregisterKernels();
  expect(names()).toEqual([]);
  registerKernels();
});

describeNodeKernels('registration of the kernels', () => {
  const x = (): tf.Tensor => tf.randomNormal([5, 7], 0, 1, 'float32', 1);

  test('unregistered, the references run; and registered again, the kernels', () => {
    const byKernel = (): tf.Tensor => forcePath('kernel', () => ops.layerNorm(x()));
    const expected = forcePath('reference', () => ops.layerNorm(x()));
    expectClose(byKernel(), expected);
    unregisterKernels();
    expectIdentical(ops.layerNorm(x()), expected);
    expect(byKernel).toThrow('no kernel TransformersLayerNorm');
    registerKernels();
    expectClose(byKernel(), expected);
  });

  /** Makes libtensorflow refuse graphs with an operation, as a version that lacks it does. */
  function withoutOperation(operation: string, body: () => void): string[] {
    const backend = tf.backend() as unknown as NodeBackend;
    const load = backend.loadSavedModelMetaGraph.bind(backend);
    const said: string[] = [];
    const spies = [
      jest.spyOn(backend, 'loadSavedModelMetaGraph').mockImplementation((folder, tags) => {
        if (readFileSync(join(folder, 'saved_model.pb')).includes(operation))
          throw new Error(`Op type not registered '${operation}' in binary.\nMore.`);
        return load(folder, tags);
      }),
      jest.spyOn(console, 'warn').mockImplementation((text: string) => said.push(text)),
    ];
    forgetGraphs();
    try {
      body();
    } finally {
      spies.forEach((spy) => spy.mockRestore());
      forgetGraphs();
    }
    return said;
  }

  test('an operation that this libtensorflow lacks is made up for by the reference, said once', () => {
    const epsilon = 0.0123;
    const expected = forcePath('reference', () => ops.rmsNorm(x(), null, { epsilon }));
    const said = withoutOperation('Rsqrt', () => {
      const before = tf.memory().numTensors;
      const y = ops.rmsNorm(x(), null, { epsilon });
      expectIdentical(y, expected);
      expectIdentical(ops.rmsNorm(x(), null, { epsilon }), expected);
      expect(tf.memory().numTensors - before).toBeLessThanOrEqual(4); // two inputs, two results
      expect(() => forcePath('kernel', () => ops.rmsNorm(x(), null, { epsilon }))).toThrow('no kernel'); // prettier-ignore
      forcePath('kernel', () => ops.softCap(x(), 3)); // others are as they were
    });
    expect(said).toEqual([
      'tfjs-transformers/node: TransformersRmsNormNoScale does not run with this libtensorflow ' +
        "(Op type not registered 'Rsqrt' in binary.); composed operations run instead. Said once.",
    ]);
    expectClose(forcePath('kernel', () => ops.rmsNorm(x(), null, { epsilon })), expected); // prettier-ignore
  });

  test('an operation that only the gradient needs counts too', () => {
    const [scale, dy] = [tf.randomNormal([7], 0, 1, 'float32', 2), x()];
    const f = (x: tf.Tensor, scale: tf.Tensor): tf.Tensor => ops.rmsNorm(x, scale);
    const expected = forcePath('reference', () => tf.grads(f)([x(), scale], dy));
    const said = withoutOperation('BiasAddGrad', () => {
      tf.grads(f)([x(), scale], dy).forEach((tensor, i) => {
        expectIdentical(tensor, expected[i]);
      });
    });
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('TransformersRmsNorm does not run');
  });

  test('a dropout that this libtensorflow cannot draw is drawn on the host: the same numbers', () => {
    const rate = 0.375;
    const expected = forcePath('reference', () => ops.dropout(x(), rate, { seed: 5 }));
    expectIdentical(forcePath('kernel', () => ops.dropout(x(), rate, { seed: 5 })), expected); // prettier-ignore
    const other = forcePath('reference', () => ops.dropout(x(), 0.3125, { seed: 5 }));
    const said = withoutOperation('StatelessRandomUniformFullIntV2', () => {
      expectIdentical(ops.dropout(x(), 0.3125, { seed: 5 }), other);
    });
    expect(said).toHaveLength(1);
  });
});
