/** Calls of functions across a worker's border: a number goes with each, and comes back with its answer. */

/** A call. */
interface Call {
  id: number;
  method: string;
  values: unknown[];
}

/** An answer, or news that nobody asked for. */
type Message = { id: number; value: unknown } | { id: number; error: string } | { event: never };

/** Functions, each of which may be called from the other side. */
type Methods<T> = { [K in keyof T]: (...values: never[]) => unknown };

/** The same functions as seen from the other side: all answers take their time. */
export type Remote<T extends Methods<T>> = {
  [K in keyof T]: (...values: Parameters<T[K]>) => Promise<Awaited<ReturnType<T[K]>>>;
};

/**
 * Answers calls; the worker's side.
 *
 * @param methods What can be called.
 */
export function answerCalls<T extends Methods<T>>(methods: T): void {
  addEventListener('message', ({ data: { id, method, values } }: MessageEvent<Call>) => {
    void (async () => {
      try {
        const value = await methods[method as keyof T](...(values as never[]));
        postMessage({ id, value });
      } catch (error) {
        postMessage({ id, error: error instanceof Error ? error.message : String(error) });
      }
    })();
  });
}

/**
 * Tells the page something; the worker's side.
 *
 * @param event What.
 */
export function tell(event: object): void {
  postMessage({ event });
}

/**
 * Makes functions that call a worker's; the page's side.
 *
 * @param worker The worker.
 * @param listen Gets what the worker tells.
 * @returns The functions, and `close`, which ends the worker: calls without an answer reject with the given reason.
 */
export function callWorker<T extends Methods<T>>(
  worker: Worker,
  listen: (event: never) => void,
): { methods: Remote<T>; close: (reason: string) => void } {
  const waiting = new Map<
    number,
    { resolve: (value: never) => void; reject: (e: Error) => void }
  >();
  let lastId = 0;

  worker.addEventListener('message', ({ data }: MessageEvent<Message>) => {
    if ('event' in data) {
      listen(data.event);
      return;
    }
    const call = waiting.get(data.id);
    waiting.delete(data.id);
    if ('error' in data) call?.reject(new Error(data.error));
    else call?.resolve(data.value as never);
  });
  const close = (reason: string): void => {
    worker.terminate();
    for (const { reject } of waiting.values()) reject(new Error(reason));
    waiting.clear();
  };
  worker.addEventListener('error', (event) =>
    close(event.message || 'its script cannot be loaded'),
  );

  const methods = new Proxy({} as Remote<T>, {
    get:
      (_, method: string) =>
      (...values: unknown[]) =>
        new Promise((resolve, reject) => {
          const id = ++lastId;
          waiting.set(id, { resolve, reject });
          worker.postMessage({ id, method, values } satisfies Call);
        }),
  });
  return { methods, close };
}
