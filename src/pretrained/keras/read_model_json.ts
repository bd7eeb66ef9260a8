/** `model.json` and shards of weights, as `tensorflowjs_converter` and TensorFlow.js write them. */
import type * as tf from '@tensorflow/tfjs-core';
import { assert, describe } from '../../util/errors.js';
import { checkKeys, isObject, parseJsonObject, type JsonObject } from '../formats/json.js';
import {
  decodeWeight,
  manifestTensorType,
  parseManifest,
  parseWeightSpecs,
  Pieces,
  placeWeights,
  type ManifestWeight,
} from '../formats/weight_shards.js';
import type { ModelFiles } from './source.js';
import type { SavedModel, StoredArray } from './saved_model.js';

/**
 * Reads a `model.json` and the files that it names.
 *
 * @param label First words of every error.
 * @param files The files.
 * @param text What the `model.json` holds.
 * @param maxBytes The most bytes that its weights may have.
 * @returns The model's parts.
 */
export async function readModelJson(
  label: string,
  files: ModelFiles,
  text: string,
  maxBytes: number,
): Promise<SavedModel> {
  const json = parseJsonObject(label, text);
  const parts = modelParts(label, json.modelTopology, json);
  const groups = parseManifest(label, json.weightsManifest ?? []);
  const weights = new Map<string, StoredArray>();
  let left = maxBytes;
  for (const { paths, weights: specs } of groups) {
    const pieces: Uint8Array[] = [];
    for (const path of paths) {
      const source = await files.sibling(path);
      left -= source.size;
      assert(
        left >= 0,
        () =>
          `${label}: its weights have more than maxBytes=${maxBytes}. Raise maxBytes if you trust it.`,
      );
      pieces.push(await source.read(0, source.size));
    }
    addWeights(label, specs, new Pieces(pieces), weights);
  }
  return { name: files.main.name, ...parts, weights };
}

/**
 * Asks a handler of TensorFlow.js for a model.
 *
 * @param where Name of the function that was called.
 * @param handler The handler.
 * @param maxBytes The most bytes that its weights may have.
 * @returns The model's parts.
 */
export async function readHandler(
  where: string,
  handler: tf.io.IOHandler,
  maxBytes: number,
): Promise<SavedModel> {
  const label = `${where}: the model of the given handler`;
  const artifacts = await handler.load!();
  const { modelTopology, weightSpecs = [], weightData = [] } = artifacts;
  checkKeys(label, modelTopology);
  const parts = modelParts(label, modelTopology, artifacts as unknown as JsonObject);
  const buffers = Array.isArray(weightData) ? weightData : [weightData];
  const data = new Pieces(buffers.map((buffer) => new Uint8Array(buffer)));
  assert(
    data.length <= maxBytes,
    () =>
      `${label} has ${data.length} bytes, more than maxBytes=${maxBytes}. Raise maxBytes if you trust it.`,
  );
  const weights = new Map<string, StoredArray>();
  addWeights(label, parseWeightSpecs(label, weightSpecs), data, weights);
  return { name: 'the given handler', ...parts, weights };
}

function addWeights(
  label: string,
  specs: readonly ManifestWeight[],
  data: Pieces,
  weights: Map<string, StoredArray>,
): void {
  for (const { weight, at, length } of placeWeights(label, specs, data)) {
    assert(
      !weights.has(weight.name),
      () => `${label}: weight '${weight.name}' is there twice. Convert the model again.`,
    );
    weights.set(weight.name, {
      dtype: weight.dtype,
      tensorType: manifestTensorType(weight),
      shape: weight.shape,
      values: () => decodeWeight(label, weight, data.slice(at, length)),
    });
  }
}

/** Configuration and version; TensorFlow.js' own files lack a level, `model_config`. */
function modelParts(
  label: string,
  topology: unknown,
  json: JsonObject,
): Pick<SavedModel, 'format' | 'kerasVersion' | 'config' | 'trainingConfig'> {
  assert(
    json.format !== 'graph-model' && !(isObject(topology) && 'node' in topology),
    () =>
      `${label} is a graph model, which has no layers. Convert the .keras or .h5 file with ` +
      `--output_format tfjs_layers_model, or load that file itself.`,
  );
  assert(
    isObject(topology),
    () =>
      `${label} must have a modelTopology, got modelTopology=${describe(topology)}. Convert the model with its topology, or ` +
      `load the .keras file itself.`,
  );
  const config = topology.model_config ?? topology;
  assert(
    isObject(config) && typeof config.class_name === 'string',
    () => `${label} has a modelTopology without a class_name. Convert the model again.`,
  );
  const version = topology.keras_version ?? json.generatedBy;
  const training = topology.training_config ?? json.trainingConfig;
  return {
    format: 'tfjs',
    kerasVersion: typeof version === 'string' ? version.replace(/^keras v/, '') : '',
    config,
    ...(isObject(training) && { trainingConfig: training }),
  };
}
