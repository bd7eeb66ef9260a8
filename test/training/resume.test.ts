/** A run that was stopped and resumed makes the same losses and weights, to the last bit, whatever it trains on. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { adamW } from '../../src/training/adam_w.js';
import { arrayDataset } from '../../src/training/array_dataset.js';
import type { Dataset } from '../../src/training/dataset.js';
import { fit } from '../../src/training/fit.js';
import type { FitOptions } from '../../src/training/fit_options.js';
import type { History } from '../../src/training/history.js';
import { freeze } from '../../src/training/freeze.js';
import { lineDataset } from '../../src/training/line_dataset.js';
import { memoryStorage } from '../../src/training/storage.js';
import { streamDataset } from '../../src/training/stream_dataset.js';
import { textDataset } from '../../src/training/text_dataset.js';
import { tokenFileDataset } from '../../src/training/token_file_dataset.js';
import { describeBackends } from '../support/backends.js';
import { expectIdentical } from '../support/expect_close.js';
import { tinyModel, weightsOf } from './tiny_model.js';

let folder: string;
const documents = Array.from({ length: 17 }, (_, i) =>
  Array.from({ length: 2 + (i % 5) }, (_, j) => (3 * i + j) % 11),
);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'resume-'));
  await writeFile(join(folder, 'lines'), documents.map((d) => JSON.stringify(d)).join('\n'));
  await writeFile(join(folder, 'tokens'), Uint8Array.from(documents.flat()));
});
afterAll(() => rm(folder, { recursive: true }));

const example = (ids: number[]) => ({
  inputs: { tokenIds: ids.slice(0, -1) },
  labels: ids.slice(1),
});
const cut = { batchSize: 3, seed: 5 };
const sources: Record<string, () => Dataset | Promise<Dataset>> = {
  'packed documents': () => textDataset(documents, { ...cut, pack: true, sequenceLength: 6 }),
  'documents by length': () => textDataset(documents, { ...cut, bucketByLength: true }),
  'examples by length': () =>
    arrayDataset(documents.map(example), { ...cut, bucketBy: 'tokenIds' }),
  'lines of a file': () =>
    lineDataset(join(folder, 'lines'), { ...cut, parse: (line) => example(JSON.parse(line)) }),
  'a file of tokens': () =>
    tokenFileDataset(join(folder, 'tokens'), { ...cut, dtype: 'uint8', sequenceLength: 5 }),
  'a stream': () => streamDataset(() => documents.map(example), { ...cut, pool: 4 }),
};

describeBackends('resume', () => {
  test.each(Object.keys(sources))('%s', async (name) => {
    const dataset = await sources[name]();
    const packed = name === 'packed documents';
    const build = (seed: number): tf.LayersModel => {
      const model = tinyModel({
        dropout: 0.2,
        seed,
        ...(packed && { inputs: ['tokenIds', 'segmentIds', 'positions'] }),
      });
      freeze(model, 'block_0/self_attention/query');
      return model;
    };
    const frozen = (model: tf.LayersModel): tf.Tensor =>
      model.weights.find(({ originalName }) => originalName.endsWith('query/kernel'))!.read();
    const run = (model: tf.LayersModel, options: FitOptions): Promise<History> =>
      fit(model, dataset, {
        optimizer: adamW({ learningRate: 0.05 }),
        steps: 8,
        logEvery: 1,
        clipNorm: 1,
        labelSmoothing: 0.1,
        gradientAccumulation: 2,
        validationData: dataset,
        validateEvery: 2,
        validationSteps: 1,
        earlyStopping: { patience: 2, minDelta: 0.01 },
        ...options,
      });
    const one = build(1);
    const whole = await run(one, { checkpoint: { storage: memoryStorage() } });

    const storage = memoryStorage();
    const controller = new AbortController();
    const stopped = await run(build(1), {
      checkpoint: { storage },
      signal: controller.signal,
      onStep: ({ step }) => step === 3 && controller.abort(),
    });
    expect(stopped).toMatchObject({ steps: 3, stopped: 'aborted' });
    const two = build(2);
    const resumed = await run(two, { checkpoint: { storage }, resumeFrom: 'latest' });
    const logs = ({ log }: History): number[] => log.map(({ loss }) => loss);
    const losses = ({ validation }: History): number[] => validation.map(({ loss }) => loss);
    expect([...logs(stopped), ...logs(resumed)]).toEqual(logs(whole));
    expect([...losses(stopped), ...losses(resumed)]).toEqual(losses(whole));
    expect([resumed.stopped, resumed.steps, resumed.best]).toEqual([
      whole.stopped,
      whole.steps,
      whole.best,
    ]);
    const other = weightsOf(two);
    weightsOf(one).forEach((weight, i) => expectIdentical(other[i], weight));
    expectIdentical(frozen(two), frozen(build(1)));
  });
});
