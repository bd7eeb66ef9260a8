/** Files in the browser's IndexedDB, in the form that `training.fit` and `training.modelFiles` take. */
import type { training } from 'tfjs-transformers';

const DATABASE = 'tfjs-transformers';
const FILES = 'files';

/**
 * A folder of files that stays when the page is closed. Each file is written whole or not at all.
 *
 * @param folder Its name.
 */
export function browserStorage(folder: string): training.CheckpointStorage {
  const path = (name: string): string => `${folder}/${name}`;
  return {
    write: async (name, bytes) => {
      await inStore('readwrite', (store) => store.put(bytes, path(name)));
    },
    read: async (name) => {
      const bytes = await inStore('readonly', (store) => store.get(path(name)));
      if (bytes === undefined) throw new Error(`There is no '${name}' in this browser.`);
      return bytes as Uint8Array;
    },
    list: async () => {
      const keys = await inStore('readonly', (store) => store.getAllKeys());
      return (keys as string[])
        .filter((key) => key.startsWith(path('')))
        .map((key) => key.slice(path('').length));
    },
    remove: async (name) => {
      await inStore('readwrite', (store) => store.delete(path(name)));
    },
  };
}

/**
 * Removes all files of a folder.
 *
 * @param storage The folder.
 */
export async function clear(storage: training.CheckpointStorage): Promise<void> {
  for (const name of await storage.list()) await storage.remove(name);
}

let database: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  database ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(FILES);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error!);
  });
  return database;
}

/** Runs one request; resolves when its transaction is done, so that what was written is there for good. */
async function inStore(
  mode: IDBTransactionMode,
  ask: (store: IDBObjectStore) => IDBRequest,
): Promise<unknown> {
  const transaction = (await open()).transaction(FILES, mode);
  return new Promise((resolve, reject) => {
    const request = ask(transaction.objectStore(FILES));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error!); // also when the disk is full
  });
}
