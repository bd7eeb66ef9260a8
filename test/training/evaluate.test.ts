import * as tf from '@tensorflow/tfjs';
import { evaluate } from '../../src/training/evaluate.js';
import { textDataset } from '../../src/training/text_dataset.js';
import { describeBackends } from '../support/backends.js';
import { tinyModel } from './tiny_model.js';

const documents = [
  [1, 2, 3, 4, 0, 1],
  [2, 3],
  [4, 0, 1],
  [1, 1, 1, 1],
];

describeBackends('evaluate', () => {
  test('is the mean over labels, however the documents are cut into batches, and without dropout', async () => {
    const model = tinyModel({ dropout: 0.5, inputs: ['tokenIds', 'paddingMask'] });
    const before = tf.memory().numTensors;
    const results = await Promise.all(
      [1, 2, 3, 4].map((batchSize) => evaluate(model, textDataset(documents, { batchSize }))),
    );
    for (const { loss, tokens } of results) {
      expect(tokens).toBe(5 + 1 + 2 + 3);
      expect(loss).toBeCloseTo(results[0].loss, 5);
    }
    const first = textDataset(documents, { batchSize: 1, shuffle: false });
    expect((await evaluate(model, first, { steps: 2 })).tokens).toBe(6);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('labels to ignore can be named, and some must be left', async () => {
    const model = tinyModel();
    const dataset = textDataset([[1, 2, 2]], { inputs: ['tokenIds'], ignoreIndex: 2 });
    await expect(evaluate(model, dataset, { ignoreIndex: 2 })).rejects.toThrow(
      'evaluate: the dataset must hold labels that count, got none.',
    );
    await expect(evaluate(model, dataset, { steps: 0 })).rejects.toThrow(
      'evaluate: steps must be an integer',
    );
  });
});
