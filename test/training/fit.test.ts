import * as tf from '@tensorflow/tfjs';
import { adamW } from '../../src/training/adam_w.js';
import { latestCheckpoint, listCheckpoints } from '../../src/training/checkpoint.js';
import type { Dataset } from '../../src/training/dataset.js';
import { evaluate } from '../../src/training/evaluate.js';
import { fit } from '../../src/training/fit.js';
import type { FitOptions } from '../../src/training/fit_options.js';
import type { History } from '../../src/training/history.js';
import { warmupCosine } from '../../src/training/schedules.js';
import { memoryStorage } from '../../src/training/storage.js';
import { textDataset } from '../../src/training/text_dataset.js';
import { describeBackends, useBackend } from '../support/backends.js';
import { expectIdentical } from '../support/expect_close.js';
import { collectRandomStreams } from '../../src/layers/random_streams.js';
import { tinyModel, weightsOf } from './tiny_model.js';

const text = Array.from({ length: 71 }, (_, i) => i % 11);
const windows = (seed = 3) => textDataset(text, { sequenceLength: 7, batchSize: 2, seed });

describeBackends('fit', () => {
  test('learns, validates after every epoch, and says what it did', async () => {
    const model = tinyModel();
    const dataset = windows();
    const validationData = textDataset(text, { sequenceLength: 7, shuffle: false });
    const seen: number[] = [];
    const history = await fit(model, dataset, {
      learningRate: 0.03,
      epochs: 8,
      logEvery: 3,
      clipNorm: 1,
      validationData,
      onLog: ({ step }) => seen.push(step),
    });
    expect(dataset.batchesPerEpoch).toBe(5);
    expect(history).toMatchObject({ steps: 40, epochs: 8, stopped: 'finished', tokens: 8 * 9 * 7 });
    expect(seen).toEqual([3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 36, 39, 40]);
    expect(history.validation.map(({ step }) => step)).toEqual([5, 10, 15, 20, 25, 30, 35, 40]);
    expect(history.log.at(-1)!.loss).toBeLessThan(history.log[0].loss / 3);
    expect(history.log[0].learningRate).toBe(0.03);
    expect(history.log[0].gradientNorm).toBeGreaterThan(0);
    const { loss, tokens } = await evaluate(model, validationData);
    expect(history.validation.at(-1)).toEqual({ step: 40, epoch: 8, loss, tokens });
    expect(tokens).toBe(10 * 7);
  });

  test('keeps the number of tensors constant, and leaves nothing behind', async () => {
    const model = tinyModel();
    const before = tf.memory().numTensors;
    const counts: number[] = [];
    for (const gradientAccumulation of [1, 2]) {
      await fit(model, windows(), {
        steps: 5,
        logEvery: 1,
        clipNorm: 1,
        gradientAccumulation,
        checkpoint: { storage: memoryStorage(), every: 2 },
        validationData: windows(),
        // From the second step on: a step is remembered until the next one shows what became of it.
        onStep: ({ step }) => step > 1 && counts.push(tf.memory().numTensors),
      });
    }
    expect(new Set(counts).size).toBe(1);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('micro-batches give the step of one large batch', async () => {
    const documents = [
      [1, 2, 3, 4, 5],
      [3, 4],
      [5, 6, 7],
      [8, 9, 10, 0],
    ];
    const train = async (batchSize: number, options: FitOptions): Promise<tf.Tensor[]> => {
      const model = tinyModel({ inputs: ['tokenIds', 'paddingMask'] });
      await fit(model, textDataset(documents, { batchSize, shuffle: false }), options);
      return weightsOf(model);
    };
    const optimizer = () => tf.train.sgd(0.5);
    const whole = await train(4, { optimizer: optimizer() });
    const parts = await train(1, { optimizer: optimizer(), gradientAccumulation: 4 });
    whole.forEach((weight, i) =>
      expect(tf.max(tf.abs(tf.sub(weight, parts[i]))).dataSync()[0]).toBeLessThan(2e-6),
    );
  });

  test('any optimizer of TensorFlow.js will do, with clipping too', async () => {
    const model = tinyModel();
    const history = await fit(model, windows(), {
      optimizer: tf.train.adam(0.03),
      epochs: 4,
      clipNorm: 0.5,
      logEvery: 1,
    });
    expect(history.log.at(-1)!.loss).toBeLessThan(history.log[0].loss / 1.5);
    expect(history.log[0].gradientNorm).toBeGreaterThan(0);
  });

  test('a run that was stopped and resumed ends bit by bit where an unbroken one does', async () => {
    const build = (seed: number) => tinyModel({ dropout: 0.2, seed });
    const optimizer = () =>
      adamW({
        learningRate: warmupCosine({ learningRate: 0.02, warmupSteps: 2, totalSteps: 13 }),
        clipNorm: 1,
      });
    const options = { steps: 13, clipNorm: 0.5, gradientAccumulation: 2, logEvery: 1 };
    const unbroken = build(1);
    const storage = memoryStorage();
    const controller = new AbortController();
    const whole = await fit(unbroken, windows(), { ...options, optimizer: optimizer() });

    const stopped = await fit(build(1), windows(), {
      ...options,
      optimizer: optimizer(),
      checkpoint: { storage },
      signal: controller.signal,
      onStep: ({ step }) => step === 6 && controller.abort(),
    });
    expect(stopped).toMatchObject({ steps: 6, stopped: 'aborted' });
    expect(await listCheckpoints(storage)).toEqual(['step-000000006.safetensors']);

    const second = build(2); // other weights and streams, all of which the checkpoint replaces
    const resumed = await fit(second, windows(), {
      ...options,
      optimizer: optimizer(),
      checkpoint: { storage },
      resumeFrom: 'latest',
    });
    const losses = ({ log }: History): number[] => log.map(({ loss }) => loss);
    expect([...losses(stopped), ...losses(resumed)]).toEqual(losses(whole));
    const [a, b] = [weightsOf(unbroken), weightsOf(second)];
    a.forEach((weight, i) => expectIdentical(weight, b[i]));
    const streams = collectRandomStreams(second);
    for (const [name, stream] of collectRandomStreams(unbroken)) {
      expect(streams.get(name)!.next()).toEqual(stream.next());
    }

    const again = await fit(second, windows(), {
      ...options,
      optimizer: optimizer(),
      checkpoint: { storage },
      resumeFrom: await latestCheckpoint(storage),
    });
    expect(again).toMatchObject({ steps: 13, log: [], stopped: 'finished' });
  });
});

describe('fit', () => {
  beforeAll(() => useBackend('cpu'));

  test('a loss that is not finite stops the run, with step and learning rate, and saves nothing', async () => {
    const model = tinyModel();
    const storage = memoryStorage();
    const before = tf.memory().numTensors;
    const run = fit(model, windows(), {
      learningRate: (step) => (step === 1 ? 1e38 : 1e-3),
      steps: 9,
      checkpoint: { storage, every: 3 },
    });
    await expect(run).rejects.toThrow(
      'fit: the loss must stay finite, got NaN at step 3 with learning rate 0.001. All gradients before it were ' +
        'finite. There is no checkpoint to go back to. Lower the learning rate',
    );
    expect(await storage.list()).toEqual([]);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('keeps the last checkpoints, and one at the end', async () => {
    const model = tinyModel();
    const storage = memoryStorage();
    await fit(model, windows(), { steps: 7, checkpoint: { storage, every: 2, keep: 3 } });
    expect(await listCheckpoints(storage)).toEqual(
      [4, 6, 7].map((s) => `step-00000000${s}.safetensors`),
    );
  });

  test('another dataset is not resumed', async () => {
    const model = tinyModel();
    const checkpoint = { storage: memoryStorage() };
    await fit(model, windows(), { steps: 1, checkpoint });
    await expect(
      fit(model, windows(4), { steps: 2, checkpoint, resumeFrom: 'latest' }),
    ).rejects.toThrow('fit: the dataset must be the one of the checkpoint, {"rows":9');
  });

  test('lets timers run, shows progress, and clears it for callbacks', async () => {
    const model = tinyModel({ hiddenDim: 24 });
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    let shown = '';
    await fit(model, windows(), {
      steps: 20,
      logEvery: 5,
      validationData: windows(),
      validateEvery: 10,
      validationSteps: 1,
      progress: { write: (part) => (shown += part), isTTY: true, columns: 200 },
      onLog: ({ step }) => void (shown += `<${step}>`),
      onValidation: ({ step, tokens }) => void (shown += `<v${step} ${tokens}>`),
    });
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(1);
    expect(shown).toContain('10/20 ██████████░░░░░░░░░░ 50 % · loss ');
    expect(shown).toContain('\r\u001b[K<10>');
    expect(shown).toContain('<20><v20 14>\r\u001b[K20/20');
    expect(shown).toMatch(/tokens\/s · 0:00 left/);
  });

  test('the loop reads well without fit, too', async () => {
    const model = tinyModel();
    const before = await evaluate(model, windows());
    const optimizer = adamW({ learningRate: 0.03 });
    const { computeGradients } = await import('../../src/training/compute_gradients.js');
    for (let epoch = 0; epoch < 3; epoch++) {
      for (const batch of windows().batches(epoch)) {
        const { loss, gradients } = computeGradients(model, [batch]);
        optimizer.applyGradients(gradients);
        tf.dispose([loss, gradients]);
      }
    }
    expect((await evaluate(model, windows())).loss).toBeLessThan(before.loss / 1.5);
  });

  test('bad calls are refused', async () => {
    const model = tinyModel();
    const masked = tinyModel({ inputs: ['tokenIds', 'paddingMask'] });
    const empty: Dataset = { batchesPerEpoch: 0, batches: () => [] };
    const call = (options: object, dataset: unknown = windows(), m = model) =>
      expect(fit(m, dataset as Dataset, options)).rejects;
    await call({ epoch: 3 }).toThrow("fit: unknown option 'epoch'");
    await call({ epochs: 3, steps: 2 }).toThrow(
      'fit: give steps or epochs, not both, got steps=2, epochs=3.',
    );
    await call({ steps: 0 }).toThrow('fit: steps must be an integer of at least 1, got steps=0.');
    await call({ optimizer: adamW(), learningRate: 1 }).toThrow(
      'fit: learningRate belongs to the default optimizer.',
    );
    await call({ clipNorm: 0 }).toThrow('fit: clipNorm must be a finite number');
    await call({ resumeFrom: 'latest' }).toThrow('fit: resumeFrom needs checkpoint.storage');
    await call({ checkpoint: { directory: 'x' } }).toThrow(
      "fit: checkpoint: unknown option 'directory'",
    );
    const used = memoryStorage();
    await used.write('step-000000006.safetensors', new Uint8Array(1));
    await call({ checkpoint: { storage: used } }).toThrow(
      'fit: checkpoint.storage must hold no checkpoints of another run, got step-000000006.safetensors. ' +
        "Go on from it with resumeFrom: 'latest'",
    );
    await call({ checkpoint: { storage: memoryStorage() }, resumeFrom: 'latest' }).toThrow(
      "loadCheckpoint: the storage must hold a checkpoint for 'latest', got none.",
    );
    await call({ lossNormalization: 'mean' }).toThrow(
      "lossNormalization must be 'tokens' or 'batches'",
    );
    await call({}, empty).toThrow('fit: the dataset must not be empty, got batchesPerEpoch=0.');
    const short: Dataset = {
      batchesPerEpoch: 9,
      batches: (_, from = 0) => [...windows().batches(0, from)],
    };
    await call({}, short).toThrow(
      'fit: the dataset must yield batchesPerEpoch=9 batches an epoch, got 5 in epoch 0.',
    );
    await call({}, [1, 2]).toThrow('fit: dataset must have batches(epoch, from), got [1,2].');
    await call({}, windows(), masked).toThrow(
      "fit: the dataset must yield every input of the model, got tokenIds but no 'paddingMask'.",
    );
    await call({}, textDataset([[1, 2, 11]])).toThrow(
      'fit: labels must be ids between 0 and 10, the vocabulary of the model, or ignoreIndex=-100, got label=11.',
    );
  });
});
