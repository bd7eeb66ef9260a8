/** Files that are read piece by piece. */
import { nodeFiles } from '../../util/node_files.js';
import { assert } from '../../util/errors.js';

/** A file, wherever it is. */
export interface ByteSource {
  /** Its name, for errors. */
  readonly name: string;
  /** How many bytes it has. */
  readonly size: number;
  /** Reads a piece. The bytes may be a view of memory that is not ours. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Lets go of it. */
  close(): Promise<void>;
}

/** Node reads less than 2 GiB at once. */
const MOST_AT_ONCE = 2 ** 30;

/**
 * A file that is in memory.
 *
 * @param name Its name.
 * @param bytes Its bytes.
 * @returns The source.
 */
export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.byteLength,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
    close: () => Promise.resolve(),
  };
}

/**
 * A `File` or `Blob` of a browser or of Node.
 *
 * @param blob The blob.
 * @param name Its name, for errors.
 * @returns The source.
 */
export function blobSource(blob: Blob, name: string): ByteSource {
  return {
    name,
    size: blob.size,
    read: async (offset, length) =>
      new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
    close: () => Promise.resolve(),
  };
}

/**
 * A file of Node, kept open until `close`.
 *
 * @param where Name of the function that was called.
 * @param path The path.
 * @returns The source.
 * @throws Error when there is no such file.
 */
export async function fileSource(where: string, path: string): Promise<ByteSource> {
  const files = await nodeFiles(where, 'Give a URL, a File or the bytes.');
  const file = await files.open(path, 'r').catch((cause: unknown) => {
    throw new Error(
      `${where}: '${path}' cannot be opened (${(cause as Error).message}). Check the path.`,
      { cause },
    );
  });
  const { size } = await file.stat();
  return {
    name: path,
    size,
    read: async (offset, length) => {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
      let at = 0;
      while (at < bytes.length) {
        const { bytesRead } = await file
          .read(bytes, at, Math.min(bytes.length - at, MOST_AT_ONCE), offset + at)
          .catch((cause: unknown) => {
            throw new Error(
              `${where}: '${path}' cannot be read (${(cause as Error).message}). Give the path of a file.`,
              { cause },
            );
          });
        assert(
          bytesRead > 0,
          () => `${where}: '${path}' got shorter while it was read. Try again.`,
        );
        at += bytesRead;
      }
      return bytes;
    },
    close: () => file.close(),
  };
}

/**
 * A file of the network, read whole.
 *
 * @param where Name of the function that was called.
 * @param url The URL.
 * @param maxBytes The most bytes that it may have.
 * @returns The source.
 * @throws Error when it is not there, or has more bytes.
 */
export async function urlSource(where: string, url: string, maxBytes: number): Promise<ByteSource> {
  const response = await fetch(url).catch((cause: unknown) => {
    throw new Error(
      `${where}: '${url}' cannot be fetched (${(cause as Error).message}). Check the URL, and that its server ` +
        `allows this page to read it (CORS).`,
      { cause },
    );
  });
  const refuse = (rule: string): Promise<never> =>
    // What is still coming is not wanted; that it cannot be stopped is no news.
    (response.body?.cancel() ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => {
        throw new Error(`${where}: '${url}' ${rule}`);
      });
  if (!response.ok) {
    return refuse(`answers with status ${response.status} ${response.statusText}. Check the URL.`);
  }
  const tooLarge = (size: string): Promise<never> =>
    refuse(`has ${size} bytes, more than maxBytes=${maxBytes}. Raise maxBytes if you trust it.`);
  const announced = Number(response.headers.get('content-length') ?? 0);
  if (announced > maxBytes) return tooLarge(String(announced));
  let bytes = new Uint8Array(Math.min(announced, 2 ** 28));
  let size = 0;
  const reader = response.body?.getReader();
  const next = (): ReturnType<NonNullable<typeof reader>['read']> | undefined =>
    reader?.read().catch((cause: unknown) => {
      throw new Error(
        `${where}: '${url}' broke off after ${size} bytes (${(cause as Error).message}). Try again.`,
        { cause },
      );
    });
  for (let part = await next(); part && !part.done; part = await next()) {
    if (size + part.value.length > maxBytes) {
      reader!.releaseLock();
      return tooLarge('too many');
    }
    if (size + part.value.length > bytes.length) {
      const more = new Uint8Array(Math.max(size + part.value.length, 2 * bytes.length, 2 ** 16));
      more.set(bytes.subarray(0, size));
      bytes = more;
    }
    bytes.set(part.value, size);
    size += part.value.length;
  }
  return memorySource(url, bytes.subarray(0, size));
}
