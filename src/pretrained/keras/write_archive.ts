/** Writes `.keras` archives. */
import { assert } from '../../util/errors.js';
import { nodeFiles, replaceFile } from '../../util/node_files.js';
import { writeHdf5, type Hdf5ArrayToWrite, type Hdf5GroupToWrite } from '../formats/hdf5_write.js';

/** A weight to be written. */
export type ArchiveWeight = Hdf5ArrayToWrite;

/** The parts of a `.keras` archive. */
export interface Archive {
  /** The model's configuration as Keras 3 writes it: `{module, class_name, config, registered_name, …}`. */
  readonly config: object;
  /** `{keras_version, date_saved}`. */
  readonly metadata: object;
  /** Weights by their path in `model.weights.h5`: 'layers/dense/vars/0'. */
  readonly weights: ReadonlyMap<string, ArchiveWeight>;
  /**
   * The names of layers by the path of their weights, as `SavedModel.groupNames`: 'layers/dense' → 'ff_in_0', '' is the
   * model. Keras writes an entry for each layer, also for those without weights.
   */
  readonly groupNames?: ReadonlyMap<string, string>;
}

/** A zip archive without extensions has no more bytes. */
const MOST_BYTES = 2 ** 32 - 2 ** 20;

/**
 * Makes the bytes of a `.keras` file, as Keras 3 does: members are stored, not packed. Equal parts give equal bytes.
 *
 * @param archive Its parts.
 * @returns The bytes.
 * @throws Error when a weight has another number of elements than its shape, or all are too many.
 */
export async function writeArchive(archive: Archive): Promise<Uint8Array> {
  const { config, metadata, weights, groupNames = new Map<string, string>() } = archive;
  const root = newGroup();
  for (const [path, name] of groupNames) {
    groupAt(root, `${path === '' ? '' : `${path}/`}vars`).attributes.set('name', name);
  }
  let size = 0;
  for (const [path, weight] of weights) {
    const end = path.lastIndexOf('/');
    groupAt(root, path.slice(0, Math.max(0, end))).arrays.set(path.slice(end + 1), weight);
    size += weight.values.byteLength;
  }
  assert(
    size < MOST_BYTES,
    () =>
      `saveKeras: the weights must have less than 4 GiB, got ${size} bytes. Save smaller parts.`,
  );
  const json = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const { zipSync } = await import('fflate');
  return zipSync(
    {
      'metadata.json': json(metadata),
      'config.json': json(config),
      'model.weights.h5': writeHdf5(root),
    },
    { level: 0, mtime: new Date(1980, 0, 1) },
  );
}

/**
 * Writes a `.keras` file in Node. A file that is there is replaced when all bytes are on the disk.
 *
 * @param archive Its parts.
 * @param path Where to.
 * @returns The bytes that were written.
 */
export async function saveArchive(archive: Archive, path: string): Promise<Uint8Array> {
  const files = await nodeFiles('saveKeras', 'Ask for the bytes.');
  const bytes = await writeArchive(archive);
  await replaceFile(files, path, bytes);
  return bytes;
}

function newGroup(): Hdf5GroupToWrite {
  return { attributes: new Map(), groups: new Map(), arrays: new Map() };
}

/** The group at a path; made where there is none. */
function groupAt(root: Hdf5GroupToWrite, path: string): Hdf5GroupToWrite {
  let group = root;
  for (const part of path === '' ? [] : path.split('/')) {
    const inner = group.groups.get(part) ?? newGroup();
    group.groups.set(part, inner);
    group = inner;
  }
  return group;
}
