/** Whole models in files, in the format of TensorFlow.js, on every backend. */
import * as tf from '@tensorflow/tfjs-core';
import { assert, describe } from '../util/errors.js';
import { sizeOf } from '../util/shapes.js';
import type { CheckpointStorage } from './storage.js';

const MODEL = 'model.json';
const WEIGHTS = 'weights.bin';

/** A handler that both saves and loads. */
export type ModelFiles = Required<Pick<tf.io.IOHandler, 'save' | 'load'>>;

/**
 * Where `model.save` writes and `tf.loadLayersModel` reads a model: `model.json` and `weights.bin` in a storage.
 *
 *     const files = training.modelFiles(training.fileStorage('my-model'));
 *     await model.save(files);
 *     const same = await tf.loadLayersModel(files);
 *
 * TensorFlow.js itself has files in Node with tfjs-node only (`file://…`); this works on wasm and cpu too, and so does
 * any other storage. The format is TensorFlow.js' own: a browser loads the same folder by its address, tfjs-node by
 * `file://my-model/model.json`.
 *
 * What should travel with the model goes into its metadata, which is part of `model.json`:
 *
 *     model.setUserDefinedMetadata({ tokenizer: tokenizer.toJSON() });                      // before save
 *     const { tokenizer } = same.getUserDefinedMetadata() as { tokenizer: unknown };
 *     tokenizers.fromJSON(tokenizer);
 *
 * @param storage For example `fileStorage('my-model')`.
 * @returns A handler for both calls.
 * @throws Error when it is no storage; on loading, when the files are missing, damaged, or do not belong together.
 */
export function modelFiles(storage: CheckpointStorage): ModelFiles {
  assert(
    typeof (storage as Partial<CheckpointStorage> | undefined)?.read === 'function',
    () =>
      `modelFiles: storage must be a storage, for example fileStorage('my-model'), got storage=${describe(storage)}.`,
  );
  return { save: (artifacts) => save(storage, artifacts), load: () => load(storage) };
}

async function save(
  storage: CheckpointStorage,
  artifacts: tf.io.ModelArtifacts,
): Promise<tf.io.SaveResult> {
  const { weightData = new ArrayBuffer(0), weightSpecs = [], ...json } = artifacts;
  const weights = new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData));
  // The weights first: an interrupted first save leaves no model.json, so nobody takes it for a model.
  await storage.write(WEIGHTS, weights);
  const manifest = [{ paths: [WEIGHTS], weights: weightSpecs }];
  const text = JSON.stringify({ ...json, weightsManifest: manifest });
  await storage.write(MODEL, new TextEncoder().encode(text));
  return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
}

async function load(storage: CheckpointStorage): Promise<tf.io.ModelArtifacts> {
  const names = await storage.list();
  assert(
    names.includes(MODEL),
    () =>
      `modelFiles: the storage must hold ${MODEL}, got ${names.join(', ') || 'nothing'}. Save a model there first.`,
  );
  const json = parse(new TextDecoder().decode(await storage.read(MODEL)));
  const specs = json.weightsManifest.flatMap(({ weights }) => weights);
  const paths = json.weightsManifest.flatMap(({ paths }) => paths);
  const parts: ArrayBuffer[] = [];
  // A Buffer of Node is part of a larger ArrayBuffer; the copy is not.
  for (const path of paths) parts.push(new Uint8Array(await storage.read(path)).buffer);
  const weightData = tf.io.CompositeArrayBuffer.join(parts);
  const size = specs.reduce((sum, spec) => sum + byteSize(spec), 0);
  assert(
    Number.isNaN(size) || size === weightData.byteLength,
    () =>
      `modelFiles: ${paths.join(', ')} must have ${size} bytes for the weights that ${MODEL} lists, ` +
      `got ${weightData.byteLength}. ${ADVICE}`,
  );
  return tf.io.getModelArtifactsForJSON(json, () => Promise.resolve([specs, weightData]));
}

const ADVICE = 'The files are damaged or of different models: save the model again.';

function parse(text: string): tf.io.ModelJSON {
  const json = parseJSON(text);
  assert(
    Array.isArray(json?.weightsManifest) && json.modelTopology !== undefined,
    () =>
      `modelFiles: ${MODEL} must hold modelTopology and weightsManifest, got '${text.slice(0, 20)}…'. ${ADVICE}`,
  );
  return json as tf.io.ModelJSON;
}

/** What a text says, or null where it is no JSON at all. */
function parseJSON(text: string): Partial<tf.io.ModelJSON> | null {
  try {
    return JSON.parse(text) as Partial<tf.io.ModelJSON> | null;
  } catch {
    return null;
  }
}

const BYTES: Partial<Record<string, number>> = {
  float32: 4,
  int32: 4,
  bool: 1,
  uint8: 1,
  uint16: 2,
  float16: 2,
};

/** Bytes of a weight in the file; NaN where its length is not known from its shape. */
function byteSize({ shape, dtype, quantization }: tf.io.WeightsManifestEntry): number {
  return sizeOf(shape) * (BYTES[quantization?.dtype ?? dtype] ?? NaN);
}
