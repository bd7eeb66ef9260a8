/** Where the files of a model come from. */
import * as tf from '@tensorflow/tfjs-core';
import {
  blobSource,
  fileSource,
  memorySource,
  urlSource,
  type ByteSource,
} from '../formats/byte_source.js';
import { checkPath } from '../formats/zip.js';
import { assert, assertKnownOptions, assertNumber, describe } from '../../util/errors.js';

/**
 * A model's place: a path in Node; a URL; a `File` or `Blob`, or several that belong together (`model.json` and its
 * shards); the bytes of a file; or a handler of TensorFlow.js, such as `tf.io.browserFiles(files)`.
 */
export type KerasSource =
  string | URL | Blob | readonly Blob[] | ArrayBuffer | Uint8Array | tf.io.IOHandler;

/** What a file may cost. */
export interface KerasLimits {
  /**
   * The most bytes that the model's files may have, unpacked. Default: 4 GiB; in a zip archive also 100 times what they
   * take packed, where that is more than 256 MiB. What is given here replaces both.
   */
  maxBytes?: number;
}

/** A model's files: the one that was named, and those that it refers to. */
export interface ModelFiles {
  /** The file. */
  readonly main: ByteSource;
  /** Opens a file by its path relative to the first. */
  sibling(path: string): Promise<ByteSource>;
  /** Closes all that was opened. */
  close(): Promise<void>;
}

/** The default of `maxBytes`. */
export const MAX_BYTES = 2 ** 32;

/**
 * Checks limits.
 *
 * @param where Name of the function that was called.
 * @param limits What was given.
 * @returns `maxBytes`, if it was given.
 */
export function checkLimits(where: string, limits: KerasLimits): number | undefined {
  assertKnownOptions(where, limits, ['maxBytes']);
  const { maxBytes } = limits;
  return maxBytes === undefined ? undefined : assertNumber(where, 'maxBytes', maxBytes, 1);
}

/**
 * Whether a source is a handler of TensorFlow.js, or a URL that has one, such as `indexeddb://model`.
 *
 * @param where Name of the function that was called.
 * @param source The source.
 * @returns The handler, or null.
 */
export function handlerOf(where: string, source: KerasSource): tf.io.IOHandler | null {
  if (typeof source === 'string') {
    if (!isUrl(source) || /^(https?|file|blob|data):/i.test(source)) return null;
    const handlers = tf.io.getLoadHandlers(source);
    assert(
      handlers.length === 1,
      () =>
        `${where}: nothing here loads '${source}'. Give a path, an http(s) URL, a File or bytes.`,
    );
    return handlers[0];
  }
  return typeof (source as tf.io.IOHandler | null)?.load === 'function'
    ? (source as tf.io.IOHandler)
    : null;
}

/**
 * Opens a model's files.
 *
 * @param where Name of the function that was called.
 * @param source Where they are; not a handler.
 * @param maxBytes The most bytes that a file of the network may have.
 * @returns The files; to be closed.
 * @throws Error when the source is none, or there is nothing there.
 */
export async function openFiles(
  where: string,
  source: Exclude<KerasSource, tf.io.IOHandler>,
  maxBytes: number,
): Promise<ModelFiles> {
  if (typeof source === 'string' || isUrlObject(source)) {
    return openPlace(where, typeof source === 'string' ? source : source.href, maxBytes);
  }
  if (ArrayBuffer.isView(source) || isArrayBuffer(source)) {
    const bytes = ArrayBuffer.isView(source)
      ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
      : new Uint8Array(source);
    return filesOf(memorySource('the given bytes', bytes), (path) =>
      Promise.reject(
        new Error(
          `${where}: '${path}' is not among the given bytes. Give a path, a URL or all Files.`,
        ),
      ),
    );
  }
  const blobs: readonly unknown[] = Array.isArray(source) ? source : [source];
  assert(
    blobs.length > 0 && blobs.every(isBlob),
    () =>
      `${where}: source must be a path, a URL, a File or several, the bytes of a file, or a handler of TensorFlow.js, got ` +
      `source=${describe(source)}.`,
  );
  return openBlobs(where, blobs);
}

function openBlobs(where: string, blobs: readonly Blob[]): Promise<ModelFiles> {
  const named = blobs.map((blob, i) => ({
    blob,
    name: (blob as Partial<File>).name ?? (blobs.length > 1 ? `blob ${i}` : 'the given blob'),
  }));
  const mains =
    named.length === 1 ? named : named.filter(({ name }) => /\.(json|keras|h5|hdf5)$/i.test(name));
  assert(
    mains.length === 1,
    () =>
      `${where}: of several files one must be the model.json, the .keras or the .h5, got ` +
      `${named.map(({ name }) => `'${name}'`).join(', ')}.`,
  );
  const open = ({ blob, name }: { blob: Blob; name: string }): ByteSource => blobSource(blob, name);
  return Promise.resolve(
    filesOf(open(mains[0]), (path) => {
      const last = path.slice(path.lastIndexOf('/') + 1);
      const found = named.filter(({ name }) => name === last);
      assert(
        found.length === 1,
        () =>
          `${where}: '${mains[0].name}' needs the file '${last}', ${found.length ? 'which was given twice' : 'which was not given'}. ` +
          `Give [model.json, and every file of weights once].`,
      );
      return Promise.resolve(open(found[0]));
    }),
  );
}

/** Opens a path or a URL. */
async function openPlace(where: string, place: string, maxBytes: number): Promise<ModelFiles> {
  const inNode = typeof process !== 'undefined' && typeof process.versions?.node === 'string';
  if (/^(https?|blob|data):/i.test(place) || (!inNode && !isUrl(place))) {
    return filesOf(await urlSource(where, place, maxBytes), (path) =>
      urlSource(where, siblingUrl(place, path), maxBytes),
    );
  }
  const path = /^file:/i.test(place) ? pathOfFileUrl(where, place) : place;
  const folder = path.slice(0, Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
  return filesOf(await fileSource(where, path), (name) => fileSource(where, folder + name));
}

/** The files that are open are closed together. */
function filesOf(main: ByteSource, open: (path: string) => Promise<ByteSource>): ModelFiles {
  const opened = [main];
  return {
    main,
    sibling: async (path) => {
      checkPath(`'${main.name}'`, path);
      const source = await open(path);
      opened.push(source);
      return source;
    },
    close: async () => {
      await Promise.all(opened.map((source) => source.close()));
    },
  };
}

/** A path beside a URL, which may be relative to the page; what follows `?` is kept, as it may give access. */
function siblingUrl(url: string, path: string): string {
  const [, base, query = ''] = /^([^?#]*)(\?[^#]*)?/.exec(url) ?? ['', url];
  const name = path.split('/').map(encodeURIComponent).join('/');
  return base.slice(0, base.lastIndexOf('/') + 1) + name + query;
}

function pathOfFileUrl(where: string, url: string): string {
  const { pathname, host } = new URL(url);
  assert(host === '', () => `${where}: '${url}' is on another machine. Give a path.`);
  const path = decodeURIComponent(pathname);
  return /^\/[a-z]:\//i.test(path) ? path.slice(1) : path; // file:///C:/model.keras
}

/** Two letters at least: `C:\model.keras` is a path. */
function isUrl(text: string): boolean {
  return /^[a-z][a-z\d+.-]+:/i.test(text);
}

function isUrlObject(source: unknown): source is URL {
  return typeof (source as URL | null | undefined)?.href === 'string';
}

/** Not by class: a page and its frames, or a test and Node, have classes of their own. */
function isArrayBuffer(source: unknown): source is ArrayBuffer {
  return Object.prototype.toString.call(source) === '[object ArrayBuffer]';
}

function isBlob(source: unknown): source is Blob {
  const blob = source as Partial<Blob> | null;
  return (
    typeof blob === 'object' &&
    typeof blob?.slice === 'function' &&
    typeof blob.arrayBuffer === 'function'
  );
}
