import { assert, describe } from '../util/errors.js';
import type { CheckpointStorage } from './storage.js';

/** The part of `node:fs/promises` that is needed. */
interface Files {
  mkdir(path: string, options: { recursive: true }): Promise<unknown>;
  open(path: string, flags: 'w'): Promise<FileHandle>;
  readFile(path: string): Promise<Uint8Array>;
  readdir(path: string): Promise<string[]>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { force: true }): Promise<void>;
}

interface FileHandle {
  writeFile(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

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
      const temporary = `${directory}/.${name}.tmp`;
      const files = await loadFiles();
      await files.mkdir(directory, { recursive: true });
      const file = await files.open(temporary, 'w');
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await files.rename(temporary, target);
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

/** Bundlers for browsers resolve literal imports, and have no such module: hence the variable. */
async function loadFiles(): Promise<Files> {
  const name = 'node:fs/promises';
  try {
    return (await import(/* webpackIgnore: true */ /* @vite-ignore */ name)) as Files;
  } catch (cause) {
    throw new Error(
      'fileStorage: there is no file system here. Give another storage, for example memoryStorage().',
      { cause },
    );
  }
}
