import * as tf from '@tensorflow/tfjs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileStorage } from '../../src/training/file_storage.js';
import { modelFiles } from '../../src/training/model_files.js';
import { memoryStorage, type CheckpointStorage } from '../../src/training/storage.js';
import { characters } from '../../src/tokenizers/characters.js';
import { fromJSON } from '../../src/tokenizers/serialization.js';
import { describeBackends } from '../support/backends.js';
import { expectIdentical } from '../support/expect_close.js';
import { tinyModel } from './tiny_model.js';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'model-'))));
afterEach(() => rm(folder, { recursive: true }));

describeBackends('modelFiles', () => {
  test('a folder: saved, loaded, the same logits to the last bit, with what travels in the metadata', async () => {
    const tokenizer = characters('moby', { special: ['<end>'] });
    const model = tinyModel();
    model.setUserDefinedMetadata({ tokenizer: tokenizer.toJSON() });
    const files = modelFiles(fileStorage(join(folder, 'a')));
    const { modelArtifactsInfo } = await model.save(files);
    expect(modelArtifactsInfo.weightDataBytes).toBe(4 * model.countParams());
    expect((await readdir(join(folder, 'a'))).sort()).toEqual(['model.json', 'weights.bin']);

    const loaded = await tf.loadLayersModel(modelFiles(fileStorage(join(folder, 'a'))));
    const ids = tf.tensor2d([[1, 2, 3, 0, 1]], [1, 5], 'int32');
    expectIdentical(loaded.predict(ids) as tf.Tensor, model.predict(ids) as tf.Tensor);
    const metadata = loaded.getUserDefinedMetadata() as { tokenizer: unknown };
    expect(fromJSON(metadata.tokenizer).encode('boym')).toEqual(tokenizer.encode('boym'));
  });
});

test('model.json is in the format of TensorFlow.js: what its own handlers read', async () => {
  const model = tinyModel();
  await model.save(modelFiles(fileStorage(folder)));
  const json = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8')) as tf.io.ModelJSON;
  const bytes = await readFile(join(folder, 'weights.bin'));
  const artifacts = await tf.io.getModelArtifactsForJSON(json, ([{ paths, weights }]) => {
    expect(paths).toEqual(['weights.bin']);
    return Promise.resolve([weights, new Uint8Array(bytes).buffer]);
  });
  const loaded = await tf.loadLayersModel(tf.io.fromMemory(artifacts));
  expectIdentical(loaded.getWeights()[0], model.getWeights()[0]);
});

describe('what cannot be a model', () => {
  let storage: CheckpointStorage;
  beforeEach(() => (storage = memoryStorage()));
  const load = () => tf.loadLayersModel(modelFiles(storage));
  const write = (name: string, text: string) => storage.write(name, new TextEncoder().encode(text));

  test('no storage', () => {
    expect(() => modelFiles('folder' as never)).toThrow(
      "modelFiles: storage must be a storage, for example fileStorage('my-model'), got storage=",
    );
  });

  test('nothing there', async () => {
    await expect(load()).rejects.toThrow(
      'modelFiles: the storage must hold model.json, got nothing. Save a model there first.',
    );
  });

  test.each(['{"half', 'null', '{"modelTopology":{}}'])('model.json is %s', async (text) => {
    await write('model.json', text);
    await expect(load()).rejects.toThrow(
      `modelFiles: model.json must hold modelTopology and weightsManifest, got '${text.slice(0, 20)}…'. The files are damaged`,
    );
  });

  test('weights of another length', async () => {
    const model = tinyModel();
    await model.save(modelFiles(storage));
    const weights = await storage.read('weights.bin');
    await storage.write('weights.bin', weights.slice(0, -4));
    await expect(load()).rejects.toThrow(
      `modelFiles: weights.bin must have ${weights.length} bytes for the weights that model.json lists, got ${weights.length - 4}.`,
    );
  });
});
