import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSavedModel } from '../../../src/pretrained/keras/read_saved_model.js';
import type { SavedModel } from '../../../src/pretrained/keras/saved_model.js';
import {
  saveArchive,
  writeArchive,
  type Archive,
} from '../../../src/pretrained/keras/write_archive.js';
import { readFixtureFile } from '../../support/fixture_files.js';

/** What was read, to be written. */
function archiveOf({ config, kerasVersion, weights, groupNames }: SavedModel): Archive {
  return {
    config,
    metadata: { keras_version: kerasVersion, date_saved: '2026-01-02@03:04:05' },
    weights: new Map(
      [...weights].map(([path, { shape, values }]) => [
        path,
        { shape, dtype: 'float32', values: values() as Float32Array },
      ]),
    ),
    groupNames,
  };
}

const original = (): Promise<SavedModel> =>
  readSavedModel(new Uint8Array(readFixtureFile('keras_files/float16.keras')));

test('what was read from a file is the same after it was written', async () => {
  const before = await original();
  const bytes = await writeArchive(archiveOf(before));
  const after = await readSavedModel(bytes);
  expect(after.config).toEqual(before.config);
  expect(after.kerasVersion).toBe('3.15.1');
  expect(after.groupNames).toEqual(before.groupNames);
  expect([...after.weights.keys()]).toEqual([...before.weights.keys()]);
  for (const [path, weight] of before.weights) {
    expect(after.weights.get(path)).toMatchObject({ dtype: 'float32', shape: weight.shape });
    expect(Array.from(after.weights.get(path)!.values())).toEqual(Array.from(weight.values()));
  }
  // Equal parts, equal bytes.
  expect(Buffer.from(await writeArchive(archiveOf(before))).equals(Buffer.from(bytes))).toBe(true);
});

test('members are stored, as Keras does, so that arrays are read in place', async () => {
  const archive = archiveOf(await original());
  const bytes = await writeArchive({
    ...archive,
    weights: new Map([
      [
        'layers/dense/vars/0',
        { shape: [250_000], dtype: 'float32', values: new Float32Array(250_000) },
      ],
    ]),
  });
  expect(bytes.length).toBeGreaterThan(1e6);
  const folder = await mkdtemp(join(tmpdir(), 'keras-'));
  try {
    await saveArchive(archive, join(folder, 'a.keras'));
    await saveArchive(archive, join(folder, 'a.keras'));
    expect(await readdir(folder)).toEqual(['a.keras']);
    const [first, second] = [...(await readSavedModel(join(folder, 'a.keras'))).weights.values()];
    expect(first.values().buffer).toBe(second.values().buffer); // the file's own
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('bad weights', async () => {
  const archive = {
    config: {},
    metadata: {},
    weights: new Map([
      ['vars/0', { shape: [3], dtype: 'int32', values: new Int32Array(2) } as const],
    ]),
  };
  await expect(writeArchive(archive)).rejects.toThrow(
    "array '0' of shape [3] must have 3 elements, got 2.",
  );
});

test('a folder that is not there', async () => {
  await expect(
    saveArchive(archiveOf(await original()), join(tmpdir(), 'no', 'such', 'a.keras')),
  ).rejects.toThrow('ENOENT');
});
