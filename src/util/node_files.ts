/** The file system of Node, where there is one. */

/** The part of `node:fs/promises` that is needed. */
export interface Files {
  /** Makes a folder and those above it. */
  mkdir(path: string, options: { recursive: true }): Promise<unknown>;
  /** Opens a file. */
  open(path: string, flags: 'w' | 'r' | 'a'): Promise<FileHandle>;
  /** All bytes of a file. */
  readFile(path: string): Promise<Uint8Array>;
  /** Replaces a file by a text. */
  writeFile(path: string, text: string): Promise<void>;
  /** Adds a text to a file. */
  appendFile(path: string, text: string): Promise<void>;
  /** Names in a folder. */
  readdir(path: string): Promise<string[]>;
  /** Gives a file another name, in place of the one that has it. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, where there is one. */
  rm(path: string, options: { force: true }): Promise<void>;
}

/** An open file. */
export interface FileHandle {
  /** Writes bytes. */
  writeFile(bytes: Uint8Array): Promise<void>;
  /** Reads a part of the file. */
  read(
    into: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesRead: number }>;
  /** Says how many bytes there are. */
  stat(): Promise<{ size: number }>;
  /** Waits until all is on the disk. */
  sync(): Promise<void>;
  /** Closes the file. */
  close(): Promise<void>;
}

/**
 * Loads the file system. Bundlers for browsers resolve literal imports, and have no such module: hence the variable.
 *
 * @param where Name of the function that needs it.
 * @param advice What to use instead.
 * @returns The file system.
 * @throws Error where there is none.
 */
export async function nodeFiles(where: string, advice: string): Promise<Files> {
  const name = 'node:fs/promises';
  try {
    return (await import(/* webpackIgnore: true */ /* @vite-ignore */ name)) as Files;
  } catch (cause) {
    throw new Error(`${where}: there is no file system here. ${advice}`, { cause });
  }
}

/**
 * Reads a piece of a file.
 *
 * @param file The open file.
 * @param position Number of the first byte.
 * @param length How many bytes.
 * @returns The bytes; fewer at the end of the file.
 */
export async function readPiece(
  file: FileHandle,
  position: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await file.read(bytes, at, length - at, position + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes.subarray(0, at);
}

/**
 * Writes a file in place of the one that is there: to a temporary file beside it, which is flushed to the disk and
 * renamed. A crash leaves the old file or the new one, never half of one; an error leaves no temporary file.
 *
 * @param files The file system.
 * @param path The file.
 * @param bytes What it shall hold.
 */
export async function replaceFile(files: Files, path: string, bytes: Uint8Array): Promise<void> {
  const slash = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1;
  const temporary = `${path.slice(0, slash)}.${path.slice(slash)}.tmp`;
  const file = await files.open(temporary, 'w');
  try {
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(temporary, path);
  } catch (error) {
    await files.rm(temporary, { force: true });
    throw error;
  }
}
