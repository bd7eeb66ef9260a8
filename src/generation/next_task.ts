/** What Node has and browsers have not. */
const { setImmediate: immediate } = globalThis as { setImmediate?: (task: () => void) => void };

/**
 * Waits for the next turn of the event loop. On backends that compute on the host, a loop of `await tensor.data()` never
 * gives timers, input and signals theirs.
 *
 * @returns A promise that settles in a task of its own. It costs microseconds, where `setTimeout` costs milliseconds.
 */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    if (immediate) {
      immediate(resolve);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
