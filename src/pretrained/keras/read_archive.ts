/** `.keras` archives: config.json, metadata.json and model.weights.h5. */
import { assert } from '../../util/errors.js';
import type { ByteSource } from '../formats/byte_source.js';
import { decodeText } from '../formats/byte_reader.js';
import { convertElements, tensorTypeOf } from '../formats/elements.js';
import { readHdf5, type Hdf5Array, type Hdf5Group } from '../formats/hdf5.js';
import { parseJsonObject } from '../formats/json.js';
import { readZipDirectory, readZipMember, type ZipMember } from '../formats/zip.js';
import { MAX_BYTES } from './source.js';
import type { SavedModel, StoredArray } from './saved_model.js';

const [CONFIG, METADATA, WEIGHTS] = ['config.json', 'metadata.json', 'model.weights.h5'];

/** Below this, a member may be packed as well as it likes: JSON often is. */
const FREE_BYTES = 2 ** 28;
/** Weights hardly get smaller; Keras allows as much. */
const MOST_EXPANSION = 100;

/**
 * Reads an archive.
 *
 * @param label First words of every error.
 * @param source The archive.
 * @param maxBytes The most bytes that its members may have unpacked, if the caller says.
 * @returns The model's parts.
 */
export async function readKerasArchive(
  label: string,
  source: ByteSource,
  maxBytes: number | undefined,
): Promise<SavedModel> {
  const members = await readZipDirectory(label, source);
  const [config, metadata, weights] = [CONFIG, METADATA, WEIGHTS].map((name) => {
    const member = members.get(name);
    assert(member !== undefined, () => missing(label, name, members));
    return member;
  });
  checkSize(label, [config, metadata, weights], maxBytes);
  const read = async (member: ZipMember): Promise<Record<string, unknown>> => {
    const inner = `${label}: member '${member.name}'`;
    return parseJsonObject(inner, decodeText(inner, await readZipMember(label, source, member)));
  };
  const { keras_version: version } = await read(metadata);
  const parsed = await read(config);
  const inner = `${label}: member '${WEIGHTS}'`;
  const root = readHdf5(inner, await readZipMember(label, source, weights));
  const arrays = new Map<string, StoredArray>();
  const groupNames = new Map<string, string>();
  collect(inner, root, '', arrays, groupNames);
  return {
    name: source.name,
    format: 'keras',
    kerasVersion: typeof version === 'string' ? version : '',
    config: parsed,
    weights: arrays,
    groupNames,
  };
}

function missing(label: string, name: string, members: ReadonlyMap<string, unknown>): string {
  const others = [...members.keys()];
  const why =
    name === WEIGHTS && others.includes('model.weights.npz')
      ? `Its weights are in NumPy's format.`
      : name === WEIGHTS && others.includes('model.weights.json')
        ? `Its weights are in several files.`
        : `It holds ${others.slice(0, 8).join(', ') || 'nothing'}.`;
  return `${label} is a zip archive without '${name}'. ${why} In Python: model.save('model.keras').`;
}

function checkSize(label: string, members: ZipMember[], maxBytes: number | undefined): void {
  const size = members.reduce((sum, member) => sum + member.size, 0);
  const packed = members.reduce((sum, member) => sum + member.packedSize, 0);
  const most = maxBytes ?? Math.min(MAX_BYTES, Math.max(FREE_BYTES, MOST_EXPANSION * packed));
  assert(
    size <= most,
    () =>
      `${label} has ${size} bytes unpacked from ${packed}, more than maxBytes=${most}. Raise maxBytes if you trust it.`,
  );
}

/** All arrays by path. */
function collect(
  label: string,
  group: Hdf5Group,
  path: string,
  arrays: Map<string, StoredArray>,
  names: Map<string, string>,
): void {
  const prefix = path === '' ? '' : `${path}/`;
  const name = group.attributes.get('name');
  if (/(^|\/)vars$/.test(path) && typeof name === 'string') names.set(path.slice(0, -5), name);
  for (const [key, array] of group.arrays) {
    arrays.set(prefix + key, storedArray(label, prefix + key, array));
  }
  for (const [key, inner] of group.groups) collect(label, inner, prefix + key, arrays, names);
}

/**
 * An array of an HDF5 file.
 *
 * @param label First words of every error.
 * @param path Its path in the file, for errors.
 * @param array The array.
 * @returns The same as models have it.
 */
export function storedArray(label: string, path: string, array: Hdf5Array): StoredArray {
  const { type, shape, bytes } = array;
  return {
    dtype: type.name,
    tensorType: tensorTypeOf(type.name),
    shape,
    values: () => convertElements(`${label}: '${path}'`, type.name, bytes, type.bigEndian),
  };
}
