/** Starts one registered backend, within a time. */
import * as tf from '@tensorflow/tfjs-core';
import { errorText } from './packages.js';

const THREADS_FLAG = 'WASM_HAS_MULTITHREAD_SUPPORT';

/** How a start went: which attempts failed, and whether the last one worked. */
export interface Start {
  /** Whether the backend runs now. */
  started: boolean;
  /** Why attempts failed, in order. */
  reasons: string[];
}

/**
 * Starts a registered backend and makes it the current one. One that already runs is just made current.
 *
 * Wasm with threads never starts in some minified bundles (a worker fails without telling anyone); after the time
 * is up it is tried once more without threads.
 *
 * @param name Name of a registered backend.
 * @param timeout Milliseconds that each attempt may take.
 * @returns Whether it runs, and why attempts failed. When it does not run, the current backend has not changed.
 */
export async function startBackend(name: string, timeout: number): Promise<Start> {
  const first = await attempt(name, timeout);
  if (first === null) return { started: true, reasons: [] };
  if (name !== 'wasm' || !first.timedOut || !(await hasThreads())) {
    return { started: false, reasons: [first.reason] };
  }
  tf.env().set(THREADS_FLAG, false);
  const second = await attempt(name, timeout);
  if (second === null) {
    return { started: true, reasons: [`with threads it ${first.reason}, so it runs without`] };
  }
  tf.env().set(THREADS_FLAG, true);
  return {
    started: false,
    reasons: [`with threads it ${first.reason}`, `without threads it ${second.reason}`],
  };
}

interface Failure {
  reason: string;
  timedOut: boolean;
}

/**
 * The backend is made here and only then handed to the engine: an engine that waits for a factory which never
 * answers keeps `tf.ready()` waiting for ever, even after another backend was set, and swallows the error of one
 * that fails.
 */
async function attempt(name: string, timeout: number): Promise<Failure | null> {
  const { registry, registryFactory } = tf.engine();
  if (name in registry) {
    await tf.setBackend(name);
    return null;
  }
  const entry = registryFactory[name];
  const { factory } = entry;
  const previous = tf.getBackend();
  try {
    const made = await withTimeout(factory(), timeout);
    if ('timedOut' in made) {
      return { reason: `did not start within ${timeout / 1000} s`, timedOut: true };
    }
    entry.factory = () => made.backend;
    await tf.setBackend(name);
    return null;
  } catch (error) {
    if (name in registry) {
      // The backend itself started, setting up its kernels failed: it must not pass for one that runs.
      delete registry[name]; // eslint-disable-line @typescript-eslint/no-dynamic-delete
      if (previous in registry) await tf.setBackend(previous);
    }
    return { reason: `did not start (${errorText(error)})`, timedOut: false };
  } finally {
    entry.factory = factory;
  }
}

type Made = { backend: tf.KernelBackend } | { timedOut: true };

/** Waits for a backend; one that comes too late is disposed of. */
async function withTimeout(
  made: tf.KernelBackend | Promise<tf.KernelBackend>,
  timeout: number,
): Promise<Made> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let late = false;
  const backend = Promise.resolve(made).then((value): Made => {
    if (late) value.dispose();
    return { backend: value };
  });
  const limit = new Promise<Made>((resolve) => {
    timer = setTimeout(() => {
      late = true;
      resolve({ timedOut: true });
    }, timeout);
  });
  try {
    return await Promise.race([backend, limit]);
  } finally {
    clearTimeout(timer);
    backend.catch(() => undefined); // an error after the time is up concerns nobody
  }
}

async function hasThreads(): Promise<boolean> {
  try {
    return Boolean(await tf.env().getAsync(THREADS_FLAG));
  } catch {
    return false; // the flag exists only once the wasm package is loaded
  }
}
