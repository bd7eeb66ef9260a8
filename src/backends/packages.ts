/** Which package brings which backend, and how it gets loaded. */
import * as tf from '@tensorflow/tfjs-core';

/** The packages of TensorFlow.js that register a backend, by the name of the backend. */
export const BACKEND_PACKAGES: Readonly<Record<string, string>> = {
  tensorflow: '@tensorflow/tfjs-node',
  webgpu: '@tensorflow/tfjs-backend-webgpu',
  webgl: '@tensorflow/tfjs-backend-webgl',
  wasm: '@tensorflow/tfjs-backend-wasm',
  cpu: '@tensorflow/tfjs-backend-cpu',
};

/** Loads a package; a function of the caller's, so that a bundler sees the name in it. */
export type Loader = () => Promise<unknown>;

/** What came of loading a package: the module, or why there is none. */
export type Loaded = { module: unknown } | { reason: string };

/** Whether a backend has been registered with this copy of TensorFlow.js. */
export function isRegistered(name: string): boolean {
  return name in tf.engine().registryFactory;
}

/**
 * Loads the package of a backend, which registers it.
 *
 * @param name Name of the backend.
 * @param load The caller's loader; without one the package is imported by its name, which works in Node.
 * @returns The module, or why it cannot be loaded.
 */
export async function loadPackage(name: string, load?: Loader): Promise<Loaded> {
  const packageName = BACKEND_PACKAGES[name];
  if (load === undefined && packageName === undefined) return { reason: 'it is not registered' };
  try {
    if (name === 'tensorflow') restoreRemovedUtil();
    return { module: await (load ?? (() => importByName(packageName)))() };
  } catch (error) {
    return { reason: whyNotLoaded(packageName, error) };
  }
}

/**
 * How the user gets a backend that is not here.
 *
 * @param name Name of the backend.
 * @returns A sentence.
 */
export function howToGet(name: string): string {
  const packageName = BACKEND_PACKAGES[name];
  if (packageName === undefined) return 'Register it with tf.registerBackend first.';
  if (tf.env().getBool('IS_NODE')) {
    return name === 'webgpu' || name === 'webgl'
      ? `It belongs to browsers: in Node use 'tensorflow', 'wasm' or 'cpu'.`
      : `Install it with \`npm install ${packageName}\`.`;
  }
  return name === 'tensorflow'
    ? `It belongs to Node: in a browser use 'webgpu', 'webgl', 'wasm' or 'cpu'.`
    : `Add \`import '${packageName}'\` to the page.`;
}

/** The name is not a literal, so that bundlers and the type checker don't ask for a package that may be absent. */
function importByName(name: string): Promise<unknown> {
  return import(/* @vite-ignore */ /* webpackIgnore: true */ name);
}

/** Gives Node the function back that Node 23 removed and tfjs-node 4.22 calls (tensorflow/tfjs#8609). */
export function restoreRemovedUtil(): void {
  if (typeof process === 'undefined' || typeof process.getBuiltinModule !== 'function') return;
  const util = process.getBuiltinModule('util') as {
    isNullOrUndefined?: (value: unknown) => boolean;
  };
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
}

function whyNotLoaded(packageName: string | undefined, error: unknown): string {
  const text = errorText(error);
  if (packageName === undefined) return `its loader failed (${text})`;
  const missing =
    /^(Cannot find (module|package)|Failed to resolve module specifier)/.test(text) &&
    text.includes(packageName);
  if (!missing) return `package ${packageName} cannot be loaded (${text})`;
  return `package ${packageName} is not ${tf.env().getBool('IS_NODE') ? 'installed' : 'imported'}`;
}

/**
 * The first line of what was thrown; TensorFlow.js also throws plain objects.
 *
 * @param error What was thrown.
 * @returns Its message in one line.
 */
export function errorText(error: unknown): string {
  const message =
    typeof error === 'object' && error !== null && 'message' in error ? error.message : error;
  return String(message)
    .split('\n')[0]
    .replace(/ imported from .*$/, '')
    .trim();
}
