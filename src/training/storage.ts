/** Where checkpoints are kept: anything that can hold bytes under names. */

/** A place for files; `fileStorage` is a folder, `memoryStorage` lives in memory. */
export interface CheckpointStorage {
  /** Keeps bytes under a name, all or nothing: whatever interrupts it, `read` never sees half of them. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** The bytes under a name; rejects when there are none. */
  read(name: string): Promise<Uint8Array>;
  /** All names. */
  list(): Promise<string[]>;
  /** Forgets a name; nothing happens where it is not there. */
  remove(name: string): Promise<void>;
}

/**
 * A storage in memory, for tests, and for pages that keep the bytes themselves.
 *
 * @returns An empty storage.
 */
export function memoryStorage(): CheckpointStorage {
  const files = new Map<string, Uint8Array>();
  return {
    write: (name, bytes) => {
      files.set(name, bytes.slice());
      return Promise.resolve();
    },
    read: (name) => {
      const bytes = files.get(name);
      return bytes === undefined
        ? Promise.reject(new Error(`memoryStorage: there is no '${name}'.`))
        : Promise.resolve(bytes.slice());
    },
    list: () => Promise.resolve([...files.keys()]),
    remove: (name) => {
      files.delete(name);
      return Promise.resolve();
    },
  };
}
