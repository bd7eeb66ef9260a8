import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fit } from '../../src/training/fit.js';
import { jsonLines } from '../../src/training/json_lines.js';
import { memoryStorage } from '../../src/training/storage.js';
import { textDataset } from '../../src/training/text_dataset.js';
import { useBackend } from '../support/backends.js';
import { tinyModel } from './tiny_model.js';

let folder: string;
beforeAll(async () => {
  await useBackend('cpu');
  folder = await mkdtemp(join(tmpdir(), 'log-'));
});
afterAll(() => rm(folder, { recursive: true }));

const dataset = () => textDataset([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], { sequenceLength: 3 });
const entries = async (path: string): Promise<Record<string, unknown>[]> =>
  (await readFile(path, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

test('every event is a line; a resumed run has every step once, a failed one says why', async () => {
  const path = join(folder, 'log.jsonl');
  const storage = memoryStorage();
  const run = {
    logEvery: 2,
    callbacks: [jsonLines(path)],
    checkpoint: { storage, every: 4 },
    validationData: dataset(),
    validateEvery: 3,
  };
  await fit(tinyModel(), dataset(), { ...run, steps: 6 });
  const first = await entries(path);
  expect(first.map(({ event, step }) => `${event as string} ${step as number}`)).toEqual([
    ...['start 0', 'log 2', 'validation 3', 'log 4', 'checkpoint 4', 'log 6', 'validation 6'],
    ...['checkpoint 6', 'end 6'],
  ]);
  expect(first[1]).toMatchObject({ loss: expect.any(Number), learningRate: 0.001, epoch: 2 });
  expect(Date.parse(first[1].time as string)).toBeGreaterThan(1.7e12);

  await writeFile(path, `${await readFile(path, 'utf8')}{"event":"lo`); // as a kill would leave it
  const resumeFrom = 'step-000000004.safetensors';
  await fit(tinyModel(), dataset(), { ...run, steps: 8, resumeFrom });
  const all = await entries(path);
  const logs = all.filter(({ event }) => event === 'log');
  expect(logs.map(({ step }) => step)).toEqual([2, 4, 6, 8]);
  expect(logs[2].loss).toBe(first[5].loss);
  expect(all.filter(({ event }) => event === 'end')).toHaveLength(1);

  const failing = fit(tinyModel(), dataset(), {
    steps: 9,
    learningRate: () => 1e38,
    callbacks: [jsonLines(path)],
  });
  await expect(failing).rejects.toThrow('the loss must stay finite');
  expect((await entries(path)).at(-1)).toMatchObject({
    event: 'end',
    error: expect.stringContaining('the loss must stay finite'),
  });
});

test('a path is needed', () => {
  expect(() => jsonLines('')).toThrow("jsonLines: path must be that of a file, got path=''.");
});
