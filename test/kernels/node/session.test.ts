import * as tf from '@tensorflow/tfjs';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Graph, nth, type Value } from '../../../src/kernels/node/graph.js';
import { Sessions, type Feed, type NodeBackend } from '../../../src/kernels/node/session.js';
import { describeNodeKernels } from '../../support/backends.js';
import { expectClose } from '../../support/expect_close.js';

test('equal constants of a graph are one', () => {
  const graph = new Graph();
  expect(graph.constant(2)).toBe(graph.constant(2));
  expect(graph.constant([2])).not.toBe(graph.constant(2));
  expect(graph.constant(2, 'int32')).not.toBe(graph.constant(2));
});

test('outputs of an operation have its name and their number', () => {
  expect(nth('n3:0', 2)).toBe('n3:2');
  const graph = new Graph();
  const parts = graph.unpack(graph.input('x'), 3);
  expect(parts).toEqual([parts[0], nth(parts[0], 1), nth(parts[0], 2)]);
});

describeNodeKernels('graphs', () => {
  const x = [
    [1, 2, 3],
    [4, 5, 6],
  ];
  const run = (
    feeds: Record<string, Feed>,
    build: (graph: Graph, inputs: Record<string, Value>) => Value[],
  ): tf.Tensor[] => new Sessions(tf.backend() as unknown as NodeBackend).run('key', feeds, build);

  test('give what TensorFlow.js gives', () => {
    const [a, b] = [tf.tensor2d(x), tf.tensor2d([[1, 0, 2]])];
    const results = run({ a, b, shape: [3, 2], half: { numbers: [0.5] } }, (g, { a, b, ...i }) => [
      g.add(a, b),
      g.sub(1, a),
      g.mul(a, g.unpack(i.half, 1)[0]),
      g.div(a, 2),
      g.matMul(a, b, false, true),
      g.batchMatMul(a, a, true, false),
      g.affine(b, g.transpose(a, [1, 0]), 1),
      g.reshape(a, i.shape),
      g.reduce('Mean', a, [1], true),
      g.select(g.op('Greater', [a, b]), a, -1),
      g.cast(g.shape(a), 'int32', 'float32'),
      g.addN([a, a, a]),
      g.pack([g.reduce('Sum', a, [0, 1]), g.reduce('Max', a, [0, 1])]),
      g.zerosLike(a),
    ]); // prettier-ignore
    const expected = [
      tf.add(a, b),
      tf.sub(1, a),
      tf.mul(a, 0.5),
      tf.div(a, 2),
      tf.tensor2d([[7], [16]]),
      tf.matMul(a, a, true),
      tf.tensor2d([[7, 16]]),
      tf.reshape(a, [3, 2]),
      tf.mean(a, 1, true),
      tf.tensor2d([
        [-1, 2, 3],
        [4, 5, 6],
      ]),
      tf.tensor1d([2, 3]),
      tf.mul(a, 3),
      tf.tensor1d([21, 6]),
      tf.zerosLike(a),
    ];
    expect(results).toHaveLength(expected.length);
    results.forEach((result, i) => {
      expectClose(result, expected[i]);
    });
  });

  test('are loaded once, and leave no files and no tensors', () => {
    const folders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('tfjs-transformers-')); // prettier-ignore
    const before = folders();
    const backend = tf.backend() as unknown as NodeBackend;
    const sessions = new Sessions(backend);
    const load = jest.spyOn(backend, 'loadSavedModelMetaGraph');
    const tensors = tf.memory().numTensors;
    for (const size of [2, 3, 5]) {
      const y = tf.tidy(
        () =>
          sessions.run('double', { x: tf.ones([size]), shape: [1, size] }, (g, i) => [
            g.reshape(g.mul(i.x, 2), i.shape),
          ])[0],
      );
      expectClose(y, tf.fill([1, size], 2));
      y.dispose();
    }
    expect(load).toHaveBeenCalledTimes(1);
    load.mockRestore();
    expect(folders()).toEqual(before);
    expect(tf.memory().numTensors - tensors).toBe(3); // what expectClose was compared with
  });
});
