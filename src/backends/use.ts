/** Picks a backend, waits until it runs, falls back to the next one, and says why. */
import * as tf from '@tensorflow/tfjs-core';
import { assert, assertKnownOptions, assertNumber, describe } from '../util/errors.js';
import {
  BACKEND_PACKAGES,
  errorText,
  howToGet,
  isRegistered,
  loadPackage,
  type Loader,
} from './packages.js';
import { startBackend } from './start.js';

/** Options of {@link use}. */
export interface UseOptions {
  /**
   * Where the `.wasm` files are: a folder (with a slash at its end), or an address for each file; what
   * `setWasmPaths` of `@tensorflow/tfjs-backend-wasm` takes. In Node they are found without it.
   */
  wasmPaths?: string | Record<string, string>;
  /** Milliseconds that each backend may take to start, 10,000 by default. */
  timeout?: number;
  /**
   * Functions that load the package of a backend, for bundlers, which see only literal names:
   * `{ wasm: () => import('@tensorflow/tfjs-backend-wasm') }`. Called only when that backend is tried.
   */
  load?: Record<string, Loader>;
  /** Gets one line for each attempt that failed, and one for the choice. Silent by default. */
  log?: (line: string) => void;
}

/** What {@link use} came to. */
export interface Choice {
  /** Name of the backend that runs now. */
  name: string;
  /** Attempts that failed before, in order, and why. */
  tried: { name: string; reason: string }[];
  /** All of this in one sentence or two, for people. */
  message: string;
}

const IN_NODE = ['tensorflow', 'wasm', 'cpu'];
const IN_BROWSER = ['webgpu', 'webgl', 'wasm', 'cpu'];

/**
 * Makes a backend of TensorFlow.js the current one and waits until it runs.
 *
 * `'auto'` takes the first that starts: in Node `tensorflow` (tfjs-node), `wasm`, `cpu`; in a browser `webgpu`,
 * `webgl`, `wasm`, `cpu`. A backend counts when it is registered, when `load` names it, or when its package can be
 * imported; every one that is passed over is listed in `tried` with the reason. A name means that backend or an
 * error: it is never replaced silently.
 *
 *     const { message } = await backends.use('auto');
 *     console.log(message);     // wasm runs. tensorflow: package @tensorflow/tfjs-node is not installed.
 *
 * A start that takes longer than `timeout` counts as failed; wasm is then tried once more without threads, which
 * never start in some minified bundles on cross-origin isolated pages.
 *
 * @param name `'auto'` (default), `'tensorflow'`, `'webgpu'`, `'webgl'`, `'wasm'`, `'cpu'`, or the name of a backend
 *   that you registered.
 * @param options `wasmPaths`, `timeout`, `load`, `log`.
 * @returns The choice, and why others were passed over.
 * @throws Error when the named backend cannot be had, saying why and how to get it; or when no backend starts.
 */
export async function use(name = 'auto', options: UseOptions = {}): Promise<Choice> {
  assertKnownOptions('backends.use', options, ['wasmPaths', 'timeout', 'load', 'log']);
  const { wasmPaths, timeout = 10_000, load = {}, log = () => undefined } = options;
  assertNumber('backends.use', 'timeout', timeout, 1);
  assert(
    name === 'auto' || name in BACKEND_PACKAGES || isRegistered(name) || name in load,
    () => `backends.use: unknown backend ${describe(name)}. Known: ${knownNames().join(', ')}.`,
  );

  const tried: Choice['tried'] = [];
  const fail = (candidate: string, reason: string): void => {
    tried.push({ name: candidate, reason });
    log(`${candidate}: ${reason}.`);
  };
  for (const candidate of name === 'auto' ? autoOrder() : [name]) {
    const problem = await provide(candidate, wasmPaths, load[candidate]);
    if (problem !== null) {
      fail(candidate, problem);
      continue;
    }
    const { started, reasons } = await startBackend(candidate, timeout);
    for (const reason of reasons) fail(candidate, reason);
    if (!started) continue;
    log(`${candidate} runs.`);
    return {
      name: candidate,
      tried,
      message: [`${candidate} runs.`, ...advice(candidate), ...sentences(tried)].join(' '),
    };
  }
  if (name === 'auto') {
    throw new Error(`backends.use: no backend could be started. ${sentences(tried).join(' ')}`);
  }
  const reasons = tried.map(({ reason }) => reason).join('; ');
  throw new Error(
    `backends.use: backend '${name}' cannot be had: ${reasons}.` +
      (isRegistered(name) ? " Take another one, or 'auto'." : ` ${howToGet(name)}`),
  );
}

/** Loads the package of a backend unless it is registered, and sets its paths. Returns what went wrong, or null. */
async function provide(
  name: string,
  wasmPaths: UseOptions['wasmPaths'],
  load: Loader | undefined,
): Promise<string | null> {
  const wantsPaths = name === 'wasm' && wasmPaths !== undefined;
  if (isRegistered(name) && !wantsPaths) return null;
  const loaded = await loadPackage(name, load);
  if ('reason' in loaded) {
    if (!isRegistered(name)) return loaded.reason;
    return (
      `wasmPaths cannot be set (${loaded.reason}); give load: { wasm: () => import('${BACKEND_PACKAGES.wasm}') }, ` +
      'or call its setWasmPaths yourself'
    );
  }
  if (!isRegistered(name)) {
    const what = `${BACKEND_PACKAGES[name] ?? 'its loader'} was loaded but registered no backend`;
    if (!autoOrder().includes(name)) return what;
    return (
      `${what}: this machine cannot run it, or a second copy of @tensorflow/tfjs-core is installed ` +
      '(`npm ls @tensorflow/tfjs-core` shows)'
    );
  }
  if (!wantsPaths) return null;
  try {
    setWasmPaths(loaded.module, wasmPaths);
    return null;
  } catch (error) {
    return `wasmPaths were refused (${errorText(error)})`;
  }
}

function setWasmPaths(module: unknown, paths: string | Record<string, string>): void {
  type WasmModule = { setWasmPaths?: (paths: string | Record<string, string>) => void };
  const wasm = module as WasmModule & { default?: WasmModule }; // some loaders put CommonJS exports into `default`
  const set = wasm.setWasmPaths ?? wasm.default?.setWasmPaths;
  assert(set !== undefined, () => 'what load.wasm returned has no setWasmPaths');
  set(paths);
}

function autoOrder(): string[] {
  return tf.env().getBool('IS_NODE') ? IN_NODE : IN_BROWSER;
}

function knownNames(): string[] {
  const registered = Object.keys(tf.engine().registryFactory);
  return [...new Set(['auto', ...Object.keys(BACKEND_PACKAGES), ...registered])];
}

/** Entries of this package that register kernels. */
const ENTRIES: Record<string, { of: string; gain: string } | undefined> = {
  wasm: { of: 'wasm', gain: 'several times faster' },
  tensorflow: { of: 'node', gain: 'twice as fast' },
};

/** What would make the backend faster. */
function advice(name: string): string[] {
  const entry = ENTRIES[name];
  if (entry === undefined || tf.getKernel('TransformersLinear', name)) return [];
  return [`import 'tfjs-transformers/${entry.of}' makes it ${entry.gain}.`];
}

function sentences(tried: Choice['tried']): string[] {
  return tried.map(({ name, reason }) => `${name}: ${reason}.`);
}
