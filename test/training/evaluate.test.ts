import * as tf from '@tensorflow/tfjs';
import type { CausalLMOptions } from '../../src/models/causal_lm.js';
import { computeGradients } from '../../src/training/compute_gradients.js';
import type { Batch } from '../../src/training/dataset.js';
import { evaluate } from '../../src/training/evaluate.js';
import { textDataset } from '../../src/training/text_dataset.js';
import { describeBackends } from '../support/backends.js';
import { expectClose } from '../support/expect_close.js';
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

  test.each(['learned', 'rotary', 'alibi'] as const)(
    'packed documents have the loss and the gradients of the documents one by one: %s positions',
    async (position) => {
      const documents = [
        [1, 2, 3, 4, 0, 1],
        [2, 3],
        [4, 0, 1],
        [10, 1, 7, 1],
        [9, 9, 8],
      ];
      const inputs = ['tokenIds', 'segmentIds', ...(position === 'alibi' ? [] : ['positions'])];
      const model = tinyModel({
        position,
        inputs: inputs as CausalLMOptions['inputs'],
        hiddenDim: 12,
        numLayers: 2,
      });
      const pack = (options: object) =>
        textDataset(documents, { pack: true, shuffle: false, ...options });
      const packed = pack({ sequenceLength: 7 });
      const single = pack({ sequenceLength: 5, batchSize: 1 });
      expect([packed.rowsPerEpoch, packed.batchesPerEpoch]).toEqual([2, 1]);
      const alone = documents.map((document) =>
        textDataset([document], { pack: true, sequenceLength: document.length - 1 }),
      );
      let sum = 0;
      for (const dataset of alone) {
        const { loss, tokens } = await evaluate(model, dataset);
        sum += loss * tokens;
      }
      const { loss, tokens } = await evaluate(model, packed);
      expect(tokens).toBe(13);
      expect(loss).toBeCloseTo(sum / 13, 5);
      expect((await evaluate(model, single)).loss).toBeCloseTo(loss, 5);

      const step = (batches: Batch[]) => computeGradients(model, batches);
      const [together, apart] = [
        step([...packed.batches()]),
        step(alone.flatMap((d) => [...d.batches()])),
      ];
      for (const [name, gradient] of Object.entries(together.gradients)) {
        expectClose(apart.gradients[name], gradient, { atol: 2e-6 });
      }
      tf.dispose([
        together.loss,
        together.gradients,
        apart.loss,
        apart.gradients,
      ] as tf.TensorContainer);
    },
  );

  test('metrics are means over labels too', async () => {
    const model = tinyModel({ inputs: ['tokenIds', 'paddingMask'] });
    const before = tf.memory().numTensors;
    const third = (labels: tf.Tensor): tf.Scalar => tf.scalar(labels.shape[0]);
    const [one, all] = await Promise.all(
      [1, 4].map((batchSize) =>
        evaluate(model, textDataset(documents, { batchSize }), {
          metrics: ['accuracy', 'perplexity', third, (() => tf.scalar(2)) as never],
        }),
      ),
    );
    expect(one.metrics!.accuracy).toBeCloseTo(all.metrics!.accuracy, 5);
    expect(one.metrics!.perplexity).toBe(Math.exp(one.loss));
    expect([one.metrics!.third, all.metrics!.third, one.metrics!.metric_3]).toEqual([1, 4, 2]);
    expect(tf.memory().numTensors).toBe(before);
    await expect(
      evaluate(model, textDataset(documents), { metrics: ['f1' as never] }),
    ).rejects.toThrow(
      "evaluate: a metric must be 'accuracy', 'perplexity' or a function, got 'f1'.",
    );
  });

  test('a model that would let packed documents see each other is refused', async () => {
    const packed = textDataset(documents, { pack: true, sequenceLength: 7 });
    await expect(evaluate(tinyModel(), packed)).rejects.toThrow(
      "evaluate: the model must take 'segmentIds', without which packed documents see each other, got inputs tokenIds.",
    );
    const wanted = textDataset(documents, { pack: true, sequenceLength: 7, inputs: ['tokenIds'] });
    expect((await evaluate(tinyModel(), wanted)).tokens).toBe(11);
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
