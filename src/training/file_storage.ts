import { assert, describe } from '../util/errors.js';
import { nodeFiles, replaceFile, type Files } from '../util/node_files.js';
import type { CheckpointStorage } from './storage.js';

/**
 * A storage in a folder, for Node. Bytes are written to a temporary file, flushed to the disk and renamed, so that a
 * crash leaves the old file or the new one, never half of one.
 *
 * @param directory Path of the folder; it is made when it is needed.
 * @returns The storage.
 */
export function fileStorage(directory: string): CheckpointStorage {
  assert(
    typeof directory === 'string' && directory !== '',
    () =>
      `fileStorage: directory must be the path of a folder, got directory=${describe(directory)}.`,
  );
  const path = (name: string): string => {
    assert(
      /^[\w-][\w.-]*$/.test(name),
      () =>
        `fileStorage: a name must be of letters, digits, '-', '_' and '.', got ${describe(name)}.`,
    );
    return `${directory}/${name}`;
  };
  return {
    async write(name, bytes) {
      const target = path(name);
      const files = await loadFiles();
      await files.mkdir(directory, { recursive: true });
      await replaceFile(files, target, bytes);
    },
    async read(name) {
      return (await loadFiles()).readFile(path(name));
    },
    async list() {
      const files = await loadFiles();
      const names = await files.readdir(directory).catch((error: unknown) => {
        if ((error as { code?: string }).code === 'ENOENT') return [];
        throw error;
      });
      return names.filter((name) => !name.startsWith('.'));
    },
    async remove(name) {
      await (await loadFiles()).rm(path(name), { force: true });
    },
  };
}

function loadFiles(): Promise<Files> {
  return nodeFiles('fileStorage', 'Give another storage, for example memoryStorage().');
}
