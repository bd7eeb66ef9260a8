/** Early stopping, and the checkpoint of the best validation. */
import * as tf from '@tensorflow/tfjs';
import { bestCheckpoint, listCheckpoints, loadCheckpoint } from '../../src/training/checkpoint.js';
import { evaluate } from '../../src/training/evaluate.js';
import { fit } from '../../src/training/fit.js';
import type { FitOptions } from '../../src/training/fit_options.js';
import type { History } from '../../src/training/history.js';
import { memoryStorage } from '../../src/training/storage.js';
import { textDataset } from '../../src/training/text_dataset.js';
import { useBackend } from '../support/backends.js';
import { tinyModel } from './tiny_model.js';

beforeAll(() => useBackend('cpu'));

const data = () =>
  textDataset(
    Array.from({ length: 41 }, (_, i) => i % 11),
    { sequenceLength: 5, batchSize: 4 },
  );
/** Best at step 6: the rate turns negative there, and the loss climbs. */
const options = (more: FitOptions = {}): FitOptions => ({
  learningRate: (step) => (step < 6 ? 0.02 : -0.02),
  validationData: data(),
  validateEvery: 2,
  steps: 20,
  ...more,
});

test.each([true, false])(
  'stops after so many validations, with the weights of the best one (checkpoints: %s)',
  async (checkpoints) => {
    const model = tinyModel();
    const before = tf.memory().numTensors;
    const storage = memoryStorage();
    const history = await fit(
      model,
      data(),
      options({ earlyStopping: { patience: 3 }, ...(checkpoints && { checkpoint: { storage } }) }),
    );
    expect(history).toMatchObject({ stopped: 'early', steps: 12, best: { step: 6 } });
    expect((await evaluate(model, data())).loss).toBe(history.best!.loss);
    expect(tf.memory().numTensors).toBe(before);
    expect(await storage.list()).toEqual(
      checkpoints ? ['best-000000006.safetensors', 'step-000000012.safetensors'] : [],
    );
  },
);

test('minDelta, and ending with the last weights', async () => {
  const model = tinyModel();
  const history = await fit(
    model,
    data(),
    options({ earlyStopping: { patience: 1, minDelta: 100, restoreBest: false } }),
  );
  expect(history).toMatchObject({ stopped: 'early', steps: 4, best: { step: 2 } });
  expect((await evaluate(model, data())).loss).toBe(history.validation.at(-1)!.loss);
});

test('a run that is not stopped early ends with the best weights too, an aborted one with the last', async () => {
  const finished = tinyModel();
  const history = await fit(finished, data(), {
    ...options({ steps: 8, earlyStopping: { patience: 9 } }),
  });
  expect(history).toMatchObject({ stopped: 'finished', best: { step: 6 } });
  expect((await evaluate(finished, data())).loss).toBe(history.best!.loss);
  const controller = new AbortController();
  const aborted = tinyModel();
  const cut = await fit(aborted, data(), {
    ...options({ earlyStopping: { patience: 9 }, signal: controller.signal }),
    onValidation: ({ step }) => step === 8 && controller.abort(),
  });
  expect((await evaluate(aborted, data())).loss).toBe(cut.validation.at(-1)!.loss);
});

test('keepBest keeps the best beside the last few; going on from it leaves the later ones behind', async () => {
  const storage = memoryStorage();
  const checkpoint = { storage, every: 3, keep: 2, keepBest: true };
  const history = await fit(tinyModel(), data(), options({ steps: 14, checkpoint }));
  expect((await storage.list()).sort()).toEqual(
    ['best-000000006', 'step-000000012', 'step-000000014'].map((name) => `${name}.safetensors`),
  );
  expect(await bestCheckpoint(storage)).toBe('best-000000006.safetensors');
  const model = tinyModel({ seed: 2 });
  expect(await loadCheckpoint(storage, 'best', { model })).toMatchObject({ step: 6 });
  expect((await evaluate(model, data())).loss).toBe(history.best!.loss);

  const losses = ({ validation }: History): number[] => validation.map(({ loss }) => loss);
  const resumed = await fit(
    tinyModel({ seed: 3 }),
    data(),
    options({ steps: 10, checkpoint, resumeFrom: 'best' }),
  );
  expect(losses(resumed)).toEqual(losses(history).slice(3, 5));
  expect(await listCheckpoints(storage)).toEqual(
    ['step-000000009', 'step-000000010'].map((name) => `${name}.safetensors`),
  );

  await storage.remove('best-000000006.safetensors');
  await expect(
    fit(tinyModel(), data(), options({ steps: 12, checkpoint, resumeFrom: 'latest' })),
  ).rejects.toThrow(
    'fit: the storage must hold the best checkpoint, best-000000006.safetensors, got step-',
  );
  await expect(loadCheckpoint(storage, 'best', { model })).rejects.toThrow(
    "loadCheckpoint: the storage must hold a checkpoint for 'best', got none. Train with validationData",
  );
});

test('bad options are refused', async () => {
  const call = (more: object) => expect(fit(tinyModel(), data(), more)).rejects;
  await call({ earlyStopping: { patience: 1 } }).toThrow('fit: earlyStopping needs validationData');
  await call({ metrics: ['accuracy'] }).toThrow('fit: metrics needs validationData');
  await call({ earlyStopping: {}, validationData: data() }).toThrow('earlyStopping.patience');
});
