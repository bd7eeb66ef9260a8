/** Ctrl-C as an AbortSignal. */

/** The part of Node's `process` that is needed; absent in browsers. */
interface Interruptible {
  once(event: 'SIGINT', listener: () => void): void;
  off(event: 'SIGINT', listener: () => void): void;
}

/** A signal, and how to stop listening. */
export interface Interrupt {
  /** Aborted by the first Ctrl-C. */
  signal: AbortSignal;
  /** Gives Ctrl-C its usual meaning back. */
  release(): void;
}

/**
 * Turns the first Ctrl-C into the abortion of a signal, so that training can stop between two steps and save. A second
 * Ctrl-C ends the process as usual. Where there is no process (in a browser) the signal is never aborted.
 *
 *     const interrupt = interruptSignal();
 *     const history = await fit(model, dataset, { signal: interrupt.signal, … });
 *     interrupt.release();
 *
 * @returns The signal, and `release` to stop listening.
 */
export function interruptSignal(): Interrupt {
  const { process } = globalThis as { process?: Partial<Interruptible> };
  const controller = new AbortController();
  const listener = (): void => controller.abort();
  process?.once?.('SIGINT', listener);
  return { signal: controller.signal, release: () => process?.off?.('SIGINT', listener) };
}
