import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { adamW, type AdamW } from '../../src/training/adam_w.js';
import { listCheckpoints, loadCheckpoint, saveCheckpoint } from '../../src/training/checkpoint.js';
import { computeGradients } from '../../src/training/compute_gradients.js';
import { fileStorage } from '../../src/training/file_storage.js';
import { memoryStorage, type CheckpointStorage } from '../../src/training/storage.js';
import { textDataset } from '../../src/training/text_dataset.js';
import { describeBackends, useBackend } from '../support/backends.js';
import { expectIdentical } from '../support/expect_close.js';
import { collectRandomStreams } from '../../src/layers/random_streams.js';
import { tinyModel } from './tiny_model.js';

const sizes = { vocabularySize: 5, maxSequenceLength: 3, dropout: 0.1 };
const NAME = 'step-000000042.safetensors';
const state = { step: 42, epoch: 2, batch: 1, fingerprint: 'abc' };

function trained(): { model: tf.LayersModel; optimizer: AdamW } {
  const model = tinyModel(sizes);
  const optimizer = adamW();
  const [batch] = textDataset([
    [1, 2, 3],
    [2, 3, 4],
  ]).batches();
  const { gradients, loss } = computeGradients(model, [batch]);
  optimizer.applyGradients(gradients);
  tf.dispose([gradients, loss]);
  return { model, optimizer };
}

describeBackends('checkpoint', () => {
  test('weights, moments, place and random streams come back bit by bit, without leaks', async () => {
    const storage = memoryStorage();
    const { model, optimizer } = trained();
    const other = tinyModel({ ...sizes, seed: 2 });
    const moments = adamW();
    const before = tf.memory().numTensors;
    expect(await saveCheckpoint(storage, { model, optimizer }, state)).toBe(NAME);
    expect(tf.memory().numTensors).toBe(before);
    expect(await loadCheckpoint(storage, NAME, { model: other, optimizer: moments })).toEqual(
      state,
    );
    expect(tf.memory().numTensors - before).toBe(2 * model.weights.length);
    model.weights.forEach((weight, i) => expectIdentical(other.weights[i].read(), weight.read()));
    const [a, b] = [await optimizer.getWeights(), await moments.getWeights()];
    a.forEach(({ tensor }, i) => expectIdentical(b[i].tensor, tensor));
    const [streams, others] = [collectRandomStreams(model), collectRandomStreams(other)];
    expect(streams.size).toBeGreaterThan(1);
    for (const [name, stream] of streams) {
      expect(stream.counter).toBeGreaterThan(0);
      expect(others.get(name)!.next()).toEqual(stream.next());
    }
    moments.dispose();
    optimizer.dispose();
  });
});

describe('checkpoint', () => {
  let storage: CheckpointStorage;
  let good: Uint8Array;
  beforeAll(() => useBackend('cpu'));
  beforeEach(async () => {
    storage = memoryStorage();
    await saveCheckpoint(storage, trained(), state);
    good = await storage.read(NAME);
  });

  /** Loads changed bytes into a fresh model, which must stay as it was. */
  const load = async (bytes: Uint8Array): Promise<void> => {
    await storage.write(NAME, bytes);
    const model = tinyModel({ ...sizes, seed: 2 });
    const before = model.weights.map((weight) => weight.read().dataSync().slice());
    try {
      await loadCheckpoint(storage, NAME, { model, optimizer: adamW() });
    } finally {
      model.weights.forEach((weight, i) => expect(weight.read().dataSync()).toEqual(before[i]));
    }
  };
  const edit = (change: (header: string) => string): Uint8Array => {
    const size = Number(new DataView(good.buffer).getBigUint64(0, true));
    const header = new TextEncoder().encode(
      change(new TextDecoder().decode(good.subarray(8, 8 + size))),
    );
    const file = new Uint8Array(8 + header.length + good.length - 8 - size);
    new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
    file.set(header, 8);
    file.set(good.subarray(8 + size), 8 + header.length);
    return file;
  };

  test('the file is a safetensors file', async () => {
    const size = Number(new DataView(good.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(good.subarray(8, 8 + size)));
    const name = Object.keys(header).find((key) => key.endsWith('token_embedding/embeddings'))!;
    expect(header[name]).toEqual({ dtype: 'F32', shape: [5, 10], data_offsets: [0, 200] });
    expect(Object.values(header.__metadata__).every((entry) => typeof entry === 'string')).toBe(
      true,
    );
    expect((8 + size) % 8).toBe(0);
  });

  test('a truncated file is refused, wherever it ends', async () => {
    await expect(load(good.subarray(0, 5))).rejects.toThrow(
      'the file must have a header, got 5 bytes. The file is damaged',
    );
    await expect(load(good.subarray(0, 99))).rejects.toThrow(
      /the header must have \d+ bytes, got 91/,
    );
    await expect(load(good.subarray(0, -7))).rejects.toThrow(
      new RegExp(
        `loadCheckpoint: ${NAME}: the tensors must have \\d+ bytes, got \\d+. The file is damaged`,
      ),
    );
  });

  test('a changed file is refused', async () => {
    const flipped = good.slice();
    flipped[flipped.length - 9] ^= 1;
    await expect(load(flipped)).rejects.toThrow(/the checksum of the tensors must be \d+, got \d+/);
    await expect(load(edit((text) => text.replace('{', '<')))).rejects.toThrow(
      "the header must be JSON, got '<",
    );
    await expect(load(edit((text) => text.replace('[5,10]', '[5,11]')))).rejects.toThrow(
      /of shape \[5,11\] has 200 bytes/,
    );
    await expect(load(edit((text) => text.replace('"F32"', '"F16"')))).rejects.toThrow(
      'has the unknown dtype F16',
    );
    await expect(load(edit((text) => text.replace('__metadata__', 'metadata')))).rejects.toThrow(
      'This is no checkpoint.',
    );
    await expect(load(edit((text) => text.replace('"data_offsets"', '"offsets"')))).rejects.toThrow(
      'must have a shape and data_offsets',
    );
    await expect(
      load(edit((text) => text.replace('version\\":1', 'version\\":9'))),
    ).rejects.toThrow('must be a checkpoint of version 1');
  });

  test('a checkpoint of another model or optimizer is refused', async () => {
    const into = (parts: Parameters<typeof loadCheckpoint>[2]) =>
      expect(loadCheckpoint(storage, NAME, parts)).rejects;
    const model = tinyModel({ ...sizes, seed: 2 });
    await into({ model: tinyModel({ ...sizes, numLayers: 2 }) }).toThrow(
      /the model must have 20 weights as the saved one, got 36/,
    );
    await into({ model: tinyModel({ ...sizes, vocabularySize: 6 }) }).toThrow(
      /weight 0 must be '.*token_embedding\/embeddings' of shape \[5,10\] as in the saved model, got '.*token_embedding\/embeddings' of shape \[6,10\]/,
    );
    await into({ model, optimizer: tf.train.adam() }).toThrow(
      "must be the one that was saved, 'AdamW', got 'Adam'",
    );
    await expect(loadCheckpoint(storage, 'step-000000001.safetensors', { model })).rejects.toThrow(
      "there is no 'step-000000001.safetensors'",
    );
  });

  test('goes through a folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'checkpoint-'));
    const files = fileStorage(folder);
    const { model, optimizer } = trained();
    const other = tinyModel({ ...sizes, seed: 2 });
    const moments = adamW();
    const name = await saveCheckpoint(files, { model, optimizer }, state);
    expect(await loadCheckpoint(files, name, { model: other, optimizer: moments })).toEqual(state);
    model.weights.forEach((weight, i) => expectIdentical(other.weights[i].read(), weight.read()));
    await writeFile(join(folder, name), (await readFile(join(folder, name))).subarray(0, 1000));
    await expect(loadCheckpoint(files, 'latest', { model: other })).rejects.toThrow(
      'The file is damaged',
    );
    await rm(folder, { recursive: true });
  });

  test('without an optimizer only the weights are restored', async () => {
    const model = tinyModel({ ...sizes, seed: 2 });
    expect(await loadCheckpoint(storage, 'latest', { model })).toEqual(state);
    await storage.write('notes.txt', new Uint8Array(1));
    expect(await listCheckpoints(storage)).toEqual([NAME]);
  });
});
