/** What a run says when its loss is lost. */
import * as tf from '@tensorflow/tfjs';
import { causalLM } from '../../src/models/causal_lm.js';
import { saveCheckpoint } from '../../src/training/checkpoint.js';
import { fit } from '../../src/training/fit.js';
import { LossWindow } from '../../src/training/loss_window.js';
import { memoryStorage } from '../../src/training/storage.js';
import { textDataset } from '../../src/training/text_dataset.js';
import { describeBackends, useBackend } from '../support/backends.js';
import { tinyModel } from './tiny_model.js';

/** Lets the gradient behind a layer norm of the second block be NaN in the fourth step. */
function breakGradient(model: tf.LayersModel): void {
  const { subLayers } = model.getLayer('block_1') as unknown as { subLayers: tf.layers.Layer[] };
  const norm = subLayers.find(({ name }) => /feed.*norm/.test(name))!;
  const call = norm.call.bind(norm);
  let calls = 0;
  const broken = tf.customGrad((x) => {
    const factor = ++calls === 4 ? NaN : 1;
    return {
      value: tf.clone(x as tf.Tensor),
      gradFunc: (dy: tf.Tensor) => tf.mul(dy, factor),
    };
  });
  norm.call = (inputs, kwargs) => broken(call(inputs, kwargs) as tf.Tensor);
}

describeBackends('a gradient that is not finite', () => {
  test.each([1, 3, 10])(
    'is found, with its step and the last good checkpoint (read every %i steps)',
    async (logEvery) => {
      const model = tinyModel({ numLayers: 3, hiddenDim: 6 });
      breakGradient(model);
      const before = tf.memory().numTensors;
      const text = Array.from({ length: 41 }, (_, i) => i % 11);
      const run = fit(model, textDataset(text, { sequenceLength: 5, batchSize: 4 }), {
        steps: 9,
        logEvery,
        checkpoint: { storage: memoryStorage(), every: 3 },
      });
      await expect(run).rejects.toThrow(
        /got NaN at step 5 with learning rate 0.001. The first gradient that was not finite is that of 'block_1\/[\w/]*norm\/beta', at step 4. The last good checkpoint is step-000000003.safetensors. Lower/,
      );
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  test('is found before the model that it spoilt is saved', async () => {
    const model = tinyModel({ numLayers: 3, hiddenDim: 6 });
    breakGradient(model);
    const storage = memoryStorage();
    const text = Array.from({ length: 41 }, (_, i) => i % 11);
    const run = fit(model, textDataset(text, { sequenceLength: 5, batchSize: 4 }), {
      steps: 9,
      checkpoint: { storage, every: 2 },
    });
    await expect(run).rejects.toThrow(
      /fit: gradients must stay finite, got one that is not for 'block_1\/[\w/]*norm\/beta' at step 4. The last good checkpoint is step-000000002.safetensors/,
    );
    expect(await storage.list()).toEqual(['step-000000002.safetensors']);
  });
});

describe('LossWindow', () => {
  beforeAll(() => useBackend('cpu'));

  test('means of what was added since the last reading', async () => {
    const window = new LossWindow([]);
    const add = (step: number, loss: number): void =>
      window.add({ step, loss: tf.scalar(loss), learningRate: step, tokens: 10 }, {});
    const never = () => Promise.reject(new Error('nobody asks for a checkpoint'));
    expect(await window.read(never)).toBeUndefined();
    add(1, 2);
    add(2, 4);
    expect(await window.read(never)).toEqual({ loss: 3, learningRate: 2, tokens: 20 });
    add(3, 1);
    expect(await window.read(never)).toEqual({ loss: 1, learningRate: 3, tokens: 10 });
    add(4, Infinity);
    await expect(window.read(() => Promise.resolve(undefined))).rejects.toThrow(
      'got Infinity at step 4 with learning rate 4. All gradients before it were finite. There is no checkpoint',
    );
    window.dispose();
  });

  test('a model that is lost is not saved', async () => {
    const model = causalLM({ ...sizes });
    const storage = memoryStorage();
    const weight = model.weights[2].read() as tf.Variable;
    weight.assign(tf.fill(weight.shape, -Infinity));
    await expect(
      saveCheckpoint(storage, { model }, { step: 7, epoch: 0, batch: 0 }),
    ).rejects.toThrow(
      /saveCheckpoint: weights must be finite, got -Infinity in 'block_0\/.*' at step 7. Go back/,
    );
    expect(await storage.list()).toEqual([]);
  });
});

const sizes = {
  vocabularySize: 5,
  maxSequenceLength: 3,
  hiddenDim: 4,
  numLayers: 1,
  numHeads: 2,
};
