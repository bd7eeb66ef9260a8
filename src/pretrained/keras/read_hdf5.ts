/** HDF5 files of Keras 2, and those that Keras 3 still writes. */
import { assert } from '../../util/errors.js';
import { readHdf5, type Hdf5Group } from '../formats/hdf5.js';
import { parseJsonObject } from '../formats/json.js';
import { storedArray } from './read_archive.js';
import type { SavedModel, StoredArray } from './saved_model.js';

/**
 * Reads a file.
 *
 * @param label First words of every error.
 * @param name The file's name.
 * @param bytes Its bytes.
 * @returns The model's parts.
 */
export function readKerasHdf5(label: string, name: string, bytes: Uint8Array): SavedModel {
  const root = readHdf5(label, bytes);
  const text = (key: string): string | undefined => {
    const value = root.attributes.get(key);
    return typeof value === 'string' ? value : undefined;
  };
  const config = text('model_config');
  const model = root.groups.get('model_weights');
  assert(
    config !== undefined && model !== undefined,
    () =>
      `${label} is HDF5, but no whole model: ${config === undefined ? 'it has no model_config' : 'it has no model_weights'}. ` +
      `In Python: model.save('model.keras'), not save_weights.`,
  );
  const training = text('training_config');
  const weights = new Map<string, StoredArray>();
  const layerWeightNames = new Map<string, readonly string[]>();
  for (const layer of names(label, model, 'layer_names')) {
    const group = model.groups.get(layer);
    assert(
      group !== undefined,
      () => `${label} names a layer '${layer}' whose weights are missing.`,
    );
    const own = names(label, group, 'weight_names');
    layerWeightNames.set(layer, own);
    for (const weight of own) {
      const array = at(group, weight);
      assert(
        array !== undefined,
        () => `${label}: weight '${weight}' of layer '${layer}' is missing. Save the model again.`,
      );
      weights.set(`${layer}/${weight}`, storedArray(label, `${layer}/${weight}`, array));
    }
  }
  return {
    name,
    format: 'h5',
    kerasVersion: text('keras_version') ?? '',
    config: parseJsonObject(`${label}: model_config`, config),
    ...(training !== undefined && {
      trainingConfig: parseJsonObject(`${label}: training_config`, training),
    }),
    weights,
    layerWeightNames,
  };
}

/** A list of names; one too long for an attribute is in several, with numbers behind their names. */
function names(label: string, group: Hdf5Group, key: string): readonly string[] {
  const parts: string[] = [];
  const whole = group.attributes.get(key);
  if (whole !== undefined) return list(label, key, whole);
  for (let i = 0; group.attributes.has(`${key}${i}`); i++) {
    parts.push(...list(label, `${key}${i}`, group.attributes.get(`${key}${i}`)));
  }
  assert(
    parts.length > 0,
    () =>
      `${label} has no attribute '${key}', which Keras writes. In Python: model.save('model.keras').`,
  );
  return parts;
}

function list(label: string, key: string, value: unknown): readonly string[] {
  assert(Array.isArray(value), () => `${label}: attribute '${key}' must be a list of names.`);
  return value as string[];
}

/** An array by its path in a group. */
function at(group: Hdf5Group, path: string): ReturnType<Hdf5Group['arrays']['get']> {
  const parts = path.split('/');
  let inner: Hdf5Group | undefined = group;
  for (const part of parts.slice(0, -1)) inner = inner?.groups.get(part);
  return inner?.arrays.get(parts[parts.length - 1]);
}
